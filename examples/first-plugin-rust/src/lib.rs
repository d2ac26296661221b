//! First-plugin sets a header on every request and on every response.

use sallyport::{config, Error, Hooks, Plugin, Request, Response, Verdict};

struct FirstPlugin {
    header: String,
    value: String,
}

sallyport::register!(FirstPlugin);

impl Plugin for FirstPlugin {
    /// Reads the plugin's config table.
    fn configure(raw: &str) -> Result<Self, Error> {
        let mut p = FirstPlugin {
            header: "X-First-Plugin".into(),
            value: "hello from the sandbox".into(),
        };
        config::read(raw, |key, v| {
            match key {
                "header" => p.header = v.string()?,
                "value" => p.value = v.string()?,
                _ => {} // any other key is refused
            }
            Ok(())
        })?;
        Ok(p)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST | Hooks::RESPONSE
    }

    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        r.headers.set(&self.header, &self.value)?;
        Ok(Verdict::Continue)
    }

    fn response(&mut self, r: &mut Response) -> Result<(), Error> {
        r.headers.set(&self.header, &self.value)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::FirstPlugin;
    use sallyport::testing::{configure, Exchange};
    use sallyport::Verdict;

    #[test]
    fn sets_the_header() {
        let tests = [
            ("{}", "X-First-Plugin", "hello from the sandbox"),
            (
                r#"{"header": "X-Greeting", "value": "good day"}"#,
                "X-Greeting",
                "good day",
            ),
        ];
        for (config, header, want) in tests {
            let mut p = configure::<FirstPlugin>(config).unwrap();
            let mut x = Exchange::new("GET", "/");
            assert_eq!(p.request(&mut x), Ok(Verdict::Continue));
            assert_eq!(p.response(&mut x), Ok(()));
            assert_eq!(x.request.get(header), Some(want));
            assert_eq!(x.response.get(header), Some(want));
        }
    }

    #[test]
    fn refuses_unknown_keys() {
        let error = configure::<FirstPlugin>(r#"{"heather": "X"}"#).err().unwrap();
        assert_eq!(error.to_string(), "/heather is not a known key");
    }
}
