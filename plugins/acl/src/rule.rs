use crate::path;
use sallyport::Request;

/// Conditions that a request meets or does not: all of those that are there, each by one of its values.
#[derive(Default)]
pub struct Rule {
    pub consumers: Vec<String>,
    pub groups: Vec<String>,
    pub attributes: Vec<Values>,
    pub lists: Vec<Values>,
    pub methods: Vec<String>,
    pub paths: Vec<String>,
}

/// Values of which an attribute must have one.
pub struct Values {
    pub name: String,
    pub values: Vec<String>,
}

/// Stands for any consumer, group or value that is not empty.
pub const ANY: &str = "*";

/// How a rule looks at what can be written in several ways. What is refused is refused in whatever form a server may understand;
/// what is allowed is so only in the form that is written down, however it is understood.
#[derive(Clone, Copy, PartialEq)]
pub enum Look {
    Deny,
    Allow,
}

impl Rule {
    pub fn is_empty(&self) -> bool {
        self.consumers.is_empty()
            && self.groups.is_empty()
            && self.attributes.is_empty()
            && self.lists.is_empty()
            && self.methods.is_empty()
            && self.paths.is_empty()
    }

    /// Tells whether the request meets all conditions. The cheapest come first.
    pub fn meets(&self, r: &mut Request, look: Look) -> bool {
        self.meets_method(r, look)
            && self.meets_path(r, look)
            && meets_attribute(r, "consumer", &self.consumers, whole)
            && meets_attribute(r, "groups", &self.groups, elements)
            && self
                .attributes
                .iter()
                .all(|a| meets_attribute(r, &a.name, &a.values, whole))
            && self
                .lists
                .iter()
                .all(|a| meets_attribute(r, &a.name, &a.values, elements))
    }

    fn meets_method(&self, r: &mut Request, look: Look) -> bool {
        if self.methods.is_empty() {
            return true;
        }
        let method = r.method();
        self.methods.iter().any(|m| match look {
            Look::Deny => method.eq_ignore_ascii_case(m),
            Look::Allow => method == *m,
        })
    }

    fn meets_path(&self, r: &mut Request, look: Look) -> bool {
        if self.paths.is_empty() {
            return true;
        }
        let path = r.path();
        let written = self.paths.iter().any(|prefix| path::below(&path, prefix));
        if !path::is_ambiguous(&path) || written == (look == Look::Deny) {
            return written;
        }
        let understood = path::understood(&path);
        self.paths.iter().any(|prefix| path::below(&understood, prefix))
    }
}

/// Tells whether an attribute has one of the values; a list of none asks for nothing.
fn meets_attribute(
    r: &mut Request,
    name: &str,
    values: &[String],
    split: fn(&str, &mut dyn FnMut(&str) -> bool) -> bool,
) -> bool {
    if values.is_empty() {
        return true;
    }
    match r.attr(name) {
        Some(held) => split(&held, &mut |one| {
            !one.is_empty() && values.iter().any(|v| v == ANY || v == one)
        }),
        None => false,
    }
}

/// Looks at an attribute as one text, whatever it holds: a consumer's name may have commas.
fn whole(held: &str, is: &mut dyn FnMut(&str) -> bool) -> bool {
    is(held)
}

/// Looks at an attribute as a list that commas separate.
fn elements(held: &str, is: &mut dyn FnMut(&str) -> bool) -> bool {
    held.split(',').any(is)
}
