use sallyport::config::{self, Value};
use sallyport::Error;

/// The filter's config table.
pub struct Settings {
    pub keys: Vec<Key>,
    pub skew: i64,
    pub body: bool,
    pub nonce: bool,
    pub replay: bool,
    pub hide: bool,
    /// In small letters.
    pub headers: Vec<String>,
    pub challenge: String,
}

/// A key, and whose it is.
#[derive(Default)]
pub struct Key {
    pub id: String,
    pub secret: String,
    pub consumer: String,
    /// Joined by commas.
    pub groups: String,
}

impl Settings {
    pub fn read(raw: &str) -> Result<Settings, Error> {
        let mut s = Settings {
            keys: Vec::new(),
            skew: 300,
            body: true,
            nonce: false,
            replay: true,
            hide: true,
            headers: Vec::new(),
            challenge: crate::credential::SCHEME.into(),
        };
        config::read(raw, |key, v| {
            match key {
                "keys" => s.read_keys(v)?,
                "clock_skew_seconds" => s.skew = v.int(1, 3600)?,
                "body" => s.body = v.bool()?,
                "require_nonce" => s.nonce = v.bool()?,
                "replay_protection" => s.replay = v.bool()?,
                "hide" => s.hide = v.bool()?,
                "headers" => s.headers = read_headers(v)?,
                "realm" => s.challenge = format!("{} realm=\"{}\"", s.challenge, read_realm(v)?),
                _ => {}
            }
            Ok(())
        })?;
        if s.keys.is_empty() {
            return Err("/keys must name at least one key".into());
        }
        Ok(s)
    }

    fn read_keys(&mut self, v: &mut Value) -> Result<(), Error> {
        v.array(|v| {
            let key = read_key(v)?;
            if self.keys.iter().any(|known| known.id == key.id) {
                return Err("has an id that was there before".into());
            }
            self.keys.push(key);
            Ok(())
        })
    }
}

fn read_key(v: &mut Value) -> Result<Key, Error> {
    let mut key = Key::default();
    v.object(|name, v| {
        match name {
            "id" => key.id = read_name(v, 128)?,
            "secret" => key.secret = read_secret(v)?,
            "consumer" => key.consumer = read_name(v, 256)?,
            "groups" => key.groups = read_groups(v)?,
            _ => {}
        }
        Ok(())
    })?;
    if key.id.is_empty() || key.secret.is_empty() {
        return Err("must have an id and a secret".into());
    }
    if key.consumer.is_empty() {
        key.consumer = key.id.clone();
    }
    Ok(key)
}

fn read_name(v: &mut Value, most: usize) -> Result<String, Error> {
    let name = v.string()?;
    let fits = !name.is_empty() && name.len() <= most;
    if !fits || !name.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\')) {
        return Err(format!(
            "must be 1 to {} visible ASCII characters, without quotes and backslashes",
            most
        )
        .into());
    }
    Ok(name)
}

fn read_secret(v: &mut Value) -> Result<String, Error> {
    let secret = v.string()?;
    if secret.len() < 16 {
        return Err("must have at least 16 bytes".into());
    }
    Ok(secret)
}

fn read_groups(v: &mut Value) -> Result<String, Error> {
    let mut groups = Vec::new();
    v.array(|v| {
        let group = read_name(v, 256)?;
        if group.contains(',') {
            return Err("must be one, without commas".into());
        }
        groups.push(group);
        Ok(())
    })?;
    let joined = groups.join(",");
    if joined.len() > 4096 {
        return Err("must not be longer than 4096 bytes together".into());
    }
    Ok(joined)
}

fn read_headers(v: &mut Value) -> Result<Vec<String>, Error> {
    const OWN: [&str; 12] = [
        "host",
        "authorization",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
        "content-length",
        "x-consumer",
    ];
    let mut headers = Vec::new();
    v.array(|v| {
        let name = v.string()?.to_ascii_lowercase();
        if name.is_empty()
            || !name
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c))
        {
            return Err("must be the name of a header".into());
        }
        if OWN.contains(&name.as_str()) || headers.contains(&name) {
            return Err("cannot be signed so: it is signed anyway, there before, or belongs to the connection".into());
        }
        headers.push(name);
        Ok(())
    })?;
    Ok(headers)
}

fn read_realm(v: &mut Value) -> Result<String, Error> {
    let realm = v.string()?;
    if realm.is_empty()
        || !realm
            .bytes()
            .all(|c| (b' '..=b'~').contains(&c) && !matches!(c, b'"' | b'\\'))
    {
        return Err("must be ASCII without quotes and backslashes".into());
    }
    Ok(realm)
}
