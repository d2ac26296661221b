//! Token lets nobody pass without a token, and tells with the answer what another service knows of whom it is.

use sallyport::{
    config, fetch, fetched, start_fetch, verify_jwt, Answer, Error, ErrorCode, FetchRequest, Hooks, Plugin, Request,
    Response, Verdict,
};

struct Token;

sallyport::register!(Token);

impl Plugin for Token {
    fn configure(_config: &str) -> Result<Self, Error> {
        Ok(Token)
    }

    fn hooks(&self) -> Hooks {
        Hooks::REQUEST | Hooks::RESPONSE
    }

    /// Verifies the token. Its subject becomes the consumer.
    fn request(&mut self, r: &mut Request) -> Result<Verdict, Error> {
        let field = r.headers.get("Authorization").unwrap_or_default();
        let claims = match verify_jwt("main", field.trim_start_matches("Bearer ")) {
            Ok(claims) => claims,
            Err(ErrorCode::Invalid) => return Ok(r.respond_problem(401, "A token is needed", &[])?),
            Err(ErrorCode::Expired) => return Ok(r.respond_problem(401, "The token has expired", &[])?),
            Err(code) => return Err(code.into()), // the keys cannot be had: on_error decides
        };
        let mut subject = String::new();
        let read = config::read(&String::from_utf8_lossy(&claims), |key, v| match key {
            "sub" => v.string().map(|s| subject = s),
            _ => v.skip(),
        });
        if read.is_err() || subject.is_empty() {
            return Ok(r.respond_problem(401, "The token does not say who you are", &[])?);
        }
        r.set_consumer(&subject)?;
        Ok(Verdict::Continue)
    }

    /// Starts to ask what is known of the consumer, or waits for it in place if the request wants that.
    fn response(&mut self, r: &mut Response) -> Result<(), Error> {
        let path = format!("/{}", r.request.consumer());
        let question = FetchRequest {
            path: &path,
            ..FetchRequest::default()
        };
        if r.request.headers.has("X-Hold") {
            let body = text(fetch("profiles", &question)?)?;
            return Ok(r.headers.set("X-Profile", &format!("held {body}"))?);
        }
        start_fetch("profiles", &question)?;
        r.wait()
    }

    /// Goes on with the answer.
    fn resume_response(&mut self, r: &mut Response) -> Result<(), Error> {
        let body = text(fetched(0)?)?;
        Ok(r.headers.set("X-Profile", &body)?)
    }
}

fn text(mut answer: Answer) -> Result<String, ErrorCode> {
    Ok(String::from_utf8_lossy(answer.body.bytes()?).into_owned())
}
