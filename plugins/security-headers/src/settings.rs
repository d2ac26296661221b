use sallyport::config::{self, Value};
use sallyport::Error;

/// A header that this plugin can set, as written in its config table.
struct Kind {
    key: &'static str,
    name: &'static str,
    value: &'static str, // that OWASP recommends
    by_default: bool,    // false: a site can break by it
}

const fn kind(key: &'static str, name: &'static str, value: &'static str, by_default: bool) -> Kind {
    Kind {
        key,
        name,
        value,
        by_default,
    }
}

const HSTS: &str = "Strict-Transport-Security";

const KINDS: [Kind; 10] = [
    kind("hsts", HSTS, "max-age=31536000; includeSubDomains", true),
    kind("content_type_options", "X-Content-Type-Options", "nosniff", true),
    kind("frame_options", "X-Frame-Options", "DENY", true),
    kind(
        "referrer_policy",
        "Referrer-Policy",
        "strict-origin-when-cross-origin",
        true,
    ),
    kind(
        "permissions_policy",
        "Permissions-Policy",
        "geolocation=(), camera=(), microphone=()",
        true,
    ),
    kind("opener_policy", "Cross-Origin-Opener-Policy", "same-origin", true),
    kind("resource_policy", "Cross-Origin-Resource-Policy", "same-site", true),
    kind(
        "cross_domain_policies",
        "X-Permitted-Cross-Domain-Policies",
        "none",
        true,
    ),
    kind("embedder_policy", "Cross-Origin-Embedder-Policy", "require-corp", false),
    kind(
        "content_security_policy",
        "Content-Security-Policy",
        "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
        false,
    ),
];

/// A header that is set.
pub struct Header {
    pub name: &'static str,
    pub value: String,
    pub https_only: bool,
}

/// The filter's config table.
pub struct Settings {
    pub headers: Vec<Header>,
    pub remove: Vec<String>,
    pub replace: bool, // what the upstream has set itself
}

impl Settings {
    pub fn read(raw: &str) -> Result<Settings, Error> {
        let mut values = KINDS.map(|kind| kind.by_default.then(|| kind.value.to_string()));
        let mut remove = vec!["Server".to_string(), "X-Powered-By".into(), "X-AspNet-Version".into()];
        let mut replace = false;
        config::read(raw, |key, v| {
            if let Some(i) = KINDS.iter().position(|kind| kind.key == key) {
                values[i] = read_value(v, KINDS[i].value)?;
            } else if key == "remove" {
                remove = read_names(v)?;
            } else if key == "replace" {
                replace = v.bool()?;
            }
            Ok(())
        })?;
        Ok(Settings {
            headers: headers(values.into_iter()),
            remove,
            replace,
        })
    }
}

fn headers(values: impl Iterator<Item = Option<String>>) -> Vec<Header> {
    let header = |(kind, value): (&Kind, Option<String>)| {
        Some(Header {
            name: kind.name,
            value: value?,
            https_only: kind.name == HSTS,
        })
    };
    KINDS.iter().zip(values).filter_map(header).collect()
}

/// Reads a value, false for none, or true for the recommended one.
fn read_value(v: &mut Value, recommended: &str) -> Result<Option<String>, Error> {
    if v.is_bool() {
        return Ok(v.bool()?.then(|| recommended.to_string()));
    }
    let value = v.string().map_err(|_| Error::from("must be a string, true or false"))?;
    if value.trim().is_empty() {
        return Err("must not be empty; false leaves the header out".into());
    }
    if value.chars().any(char::is_control) {
        return Err("must not hold control characters".into());
    }
    Ok(Some(value))
}

fn read_names(v: &mut Value) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    v.array(|v| {
        let name = v.string()?;
        if name.is_empty()
            || !name
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&c))
        {
            return Err("must be the name of a header".into());
        }
        names.push(name);
        Ok(())
    })?;
    Ok(names)
}
