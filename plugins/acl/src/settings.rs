use crate::rule::{Look, Rule, Values, ANY};
use sallyport::config::{self, Value};
use sallyport::{Error, Request};

/// The filter's config table.
pub struct Settings {
    allow: Option<Vec<Rule>>,
    deny: Vec<Rule>,
    pub status: u16,
}

impl Settings {
    pub fn read(raw: &str) -> Result<Settings, Error> {
        let mut s = Settings {
            allow: None,
            deny: Vec::new(),
            status: 403,
        };
        config::read(raw, |key, v| {
            match key {
                "allow" => s.allow = Some(read_rules(v)?),
                "deny" => s.deny = read_rules(v)?,
                "status" => s.status = v.int(400, 599)? as u16,
                _ => {}
            }
            Ok(())
        })?;
        if s.allow.is_none() && s.deny.is_empty() {
            return Err("must have allow rules, deny rules, or both".into());
        }
        Ok(s)
    }

    /// Returns the number of the first rule that refuses the request.
    pub fn denies(&self, r: &mut Request) -> Option<usize> {
        self.deny.iter().position(|rule| rule.meets(r, Look::Deny))
    }

    /// Tells whether a rule lets the request pass, or there are none that would have to.
    pub fn allows(&self, r: &mut Request) -> bool {
        match &self.allow {
            Some(rules) => rules.iter().any(|rule| rule.meets(r, Look::Allow)),
            None => true,
        }
    }
}

fn read_rules(v: &mut Value) -> Result<Vec<Rule>, Error> {
    let mut rules = Vec::new();
    v.array(|v| {
        rules.push(read_rule(v)?);
        Ok(())
    })?;
    if rules.is_empty() {
        return Err("must not be empty".into());
    }
    Ok(rules)
}

fn read_rule(v: &mut Value) -> Result<Rule, Error> {
    let mut rule = Rule::default();
    v.object(|key, v| {
        match key {
            "consumers" => rule.consumers = read_values(v, is_value)?,
            "groups" => rule.groups = read_values(v, is_group)?,
            "methods" => rule.methods = read_values(v, is_method)?,
            "paths" => rule.paths = read_values(v, is_path)?,
            "attributes" => read_attributes(v, &mut rule.attributes, is_value)?,
            "lists" => read_attributes(v, &mut rule.lists, is_group)?,
            _ => {}
        }
        Ok(())
    })?;
    if rule.is_empty() {
        return Err("must have a condition: it would be for everybody".into());
    }
    Ok(rule)
}

fn read_attributes(v: &mut Value, dst: &mut Vec<Values>, check: Check) -> Result<(), Error> {
    v.object(|name, v| {
        if name.is_empty() || !name.bytes().all(|c| c.is_ascii_graphic()) {
            return Err("must have a name of visible ASCII".into());
        }
        dst.push(Values {
            name: name.into(),
            values: read_values(v, check)?,
        });
        Ok(())
    })
}

/// Says what is wrong with a value.
type Check = fn(&str) -> Result<(), &'static str>;

/// Reads an array of at least one string, each of which must pass the check.
fn read_values(v: &mut Value, check: Check) -> Result<Vec<String>, Error> {
    let mut values = Vec::new();
    v.array(|v| {
        let value = v.string()?;
        check(&value)?;
        values.push(value);
        Ok(())
    })?;
    if values.is_empty() {
        return Err("must not be empty".into());
    }
    Ok(values)
}

fn is_value(s: &str) -> Result<(), &'static str> {
    match s.is_empty() || s != s.trim() || s.chars().any(char::is_control) {
        true => Err("must not be empty, nor have control characters or spaces at its ends: it would meet nothing"),
        false => Ok(()),
    }
}

fn is_group(s: &str) -> Result<(), &'static str> {
    match s.contains(',') {
        true => Err("must be one, without commas"),
        false => is_value(s),
    }
}

fn is_method(s: &str) -> Result<(), &'static str> {
    match s.is_empty() || s == ANY || !s.bytes().all(|c| c.is_ascii_uppercase() || c == b'-') {
        true => Err("must be a method, in capitals"),
        false => Ok(()),
    }
}

fn is_path(s: &str) -> Result<(), &'static str> {
    if !s.starts_with('/') || !s.bytes().all(|c| c.is_ascii_graphic()) {
        return Err("must begin with a slash, and be percent-encoded");
    }
    if s.bytes().any(|c| matches!(c, b'%' | b';' | b'\\' | b'?' | b'#' | b'*')) {
        return Err("must be plain: no escapes, parameters, query or wildcards");
    }
    if s.contains("//") || s.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("must have no empty segments and no dot segments: no request has them");
    }
    Ok(())
}
