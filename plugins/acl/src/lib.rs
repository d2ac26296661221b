//! Acl lets requests pass or refuses them by who the client is, as filters before it have found out, and by what is asked for.

mod path;
mod rule;
mod settings;
#[cfg(test)]
mod tests;

use sallyport::{Error, Hooks, Plugin, Request, Verdict};
use settings::Settings;

struct Acl(Settings);

sallyport::register!(Acl);

impl Plugin for Acl {
    fn configure(raw: &str) -> Result<Self, Error> {
        Settings::read(raw).map(Acl)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let why = match self.0.denies(r) {
            Some(number) => format!("The rule deny[{}] is met", number),
            None if !self.0.allows(r) => "No rule of allow is met".into(),
            None => return Ok(Verdict::Continue),
        };
        r.set_attr("refusal", &why)?;
        Ok(r.respond_problem(self.0.status, title(self.0.status), &[])?)
    }
}

fn title(status: u16) -> &'static str {
    match status {
        403 => "Forbidden",
        404 => "Not Found",
        _ => "Refused",
    }
}
