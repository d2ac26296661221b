package main

import "strings"

// nginxHead keeps nginx in the foreground and all its files in its own folder, so it needs no rights.
const nginxHead = `worker_processes 1;
daemon off;
pid {DIR}/nginx.pid;
error_log {DIR}/error.log warn;
events { worker_connections 1024; }
http {
	access_log off;
	server_tokens off;
	tcp_nodelay on;
	keepalive_timeout 300s;
	keepalive_requests 1000000000;
	client_body_temp_path {DIR}/body;
	proxy_temp_path {DIR}/proxy;
	fastcgi_temp_path {DIR}/fastcgi;
	uwsgi_temp_path {DIR}/uwsgi;
	scgi_temp_path {DIR}/scgi;
`

const backendConfig = nginxHead + `
	server {
		listen {ADDRESS} backlog=1024;
		location / {
			default_type application/json;
			return 200 '{PAYLOAD}';
		}
	}
}
`

const nginxConfig = nginxHead + `
	upstream bench {
		server {BACKEND};
		keepalive 64;
		keepalive_requests 1000000000;
	}
	server {
		listen {ADDRESS} backlog=1024{LISTEN};
		location / {
			proxy_pass http://bench;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_set_header X-Forwarded-Host $host;
		}
	}
}
`

const haproxyConfig = `global
	nbthread 1
	maxconn 4096
defaults
	mode http
	timeout connect 5s
	timeout client 300s
	timeout server 300s
	option http-keep-alive
	option forwardfor
	http-reuse always
frontend front
	bind {ADDRESS}{LISTEN}
	http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
	http-request set-header X-Forwarded-Host %[req.hdr(host)]
	default_backend bench
backend bench
	server one {BACKEND}
`

const caddyConfig = `{
	admin off
	auto_https off
	persist_config off
}
http://{ADDRESS} {
	reverse_proxy {BACKEND} {
		transport http {
			keepalive_idle_conns_per_host 256
			compression off
		}
	}
}
`

func backendServer(s site) (server, error) {
	return nginx(s, strings.ReplaceAll(backendConfig, "{PAYLOAD}", payload))
}

// One cipher for all: else nginx would take the longer key, which clients offer first.
const nginxListenTLS = ` ssl http2;
		ssl_certificate {CERTS}/` + certFile + `;
		ssl_certificate_key {CERTS}/` + keyFile + `;
		ssl_protocols TLSv1.3;
		ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256`

const haproxyListenTLS = ` ssl crt {CERTS}/` + bothFile + ` alpn h2,http/1.1 ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256`

func nginxProxy(s site) (server, error) {
	return nginx(s, strings.ReplaceAll(nginxConfig, "{LISTEN}", ""))
}

func nginxTLS(s site) (server, error) {
	return nginx(s, strings.ReplaceAll(nginxConfig, "{LISTEN}", nginxListenTLS))
}

func nginx(s site, text string) (server, error) {
	file, err := s.writeConfig("nginx.conf", text)
	return server{argv: []string{"nginx", "-p", s.dir, "-e", s.dir + "/error.log", "-c", file}}, err
}

func haproxyProxy(s site) (server, error) { return haproxy(s, "") }

func haproxyTLS(s site) (server, error) { return haproxy(s, haproxyListenTLS) }

func haproxy(s site, listen string) (server, error) {
	file, err := s.writeConfig("haproxy.cfg", strings.ReplaceAll(haproxyConfig, "{LISTEN}", listen))
	return server{argv: []string{"haproxy", "-db", "-f", file}}, err
}

func caddyProxy(s site) (server, error) {
	file, err := s.writeConfig("Caddyfile", caddyConfig)
	env := append([]string{"XDG_DATA_HOME=" + s.dir, "XDG_CONFIG_HOME=" + s.dir}, oneThread...)
	return server{argv: []string{"caddy", "run", "--config", file, "--adapter", "caddyfile"}, env: env}, err
}
