use super::*;

#[derive(Debug, Default, PartialEq)]
struct Settings {
    header: String,
    hide: bool,
    limit: i64,
    users: Vec<Vec<String>>,
}

fn settings(raw: &str) -> Result<Settings, Error> {
    let mut s = Settings::default();
    read(raw, |key, v| {
        match key {
            "header" => s.header = v.string()?,
            "mode" if v.is_bool() => s.hide = v.bool()?,
            "mode" => s.header = v.string()?,
            "hide" => s.hide = v.bool()?,
            "limit" => s.limit = v.int(-10, 1000)?,
            "users" => v.array(|v| {
                let mut keys = Vec::new();
                v.object(|key, v| {
                    if key == "keys" {
                        keys = v.strings()?;
                        if keys.is_empty() {
                            return Err("must not be empty".into());
                        }
                    }
                    Ok(())
                })?;
                s.users.push(keys);
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(s)
}

#[test]
fn reads() {
    let tests = [
        ("{}", Settings::default()),
        (
            r#" { "header" : "X" , "hide":true,"limit":-7, "users":[ {"keys":["k","l"]} , {} ]} "#,
            Settings {
                header: "X".into(),
                hide: true,
                limit: -7,
                users: vec![vec!["k".into(), "l".into()], vec![]],
            },
        ),
        (
            r#"{"mode":true}"#,
            Settings {
                hide: true,
                ..Settings::default()
            },
        ),
        (
            r#"{"mode":"\"\\\/\b\f\n\r\té\ud83d\ude00é\ud83dx"}"#,
            Settings {
                header: "\"\\/\x08\x0c\n\r\té😀é\u{fffd}x".into(),
                ..Settings::default()
            },
        ),
    ];
    for (raw, want) in tests {
        assert_eq!(settings(raw), Ok(want), "{}", raw);
    }
}

#[test]
fn refuses() {
    const NO_JSON: &str = "the configuration is not valid JSON";
    let tests = [
        (r#"{"hedaer":"X"}"#, "/hedaer is not a known key".to_string()),
        (
            r#"{"users":[{},{"nmae":1}]}"#,
            "/users/1/nmae is not a known key".into(),
        ),
        (r#"{"a/b~c":1}"#, "/a~1b~0c is not a known key".into()),
        (r#"{"users":[{"keys":[]}]}"#, "/users/0/keys must not be empty".into()),
        (r#"{"header":1}"#, "/header must be a string".into()),
        (r#"{"hide":"yes"}"#, "/hide must be true or false".into()),
        (r#"{"users":{}}"#, "/users must be an array".into()),
        (r#"{"users":[1]}"#, "/users/0 must be a table".into()),
        (
            r#"{"users":[{"keys":["a",null]}]}"#,
            "/users/0/keys/1 must be a string".into(),
        ),
        (r#"{"limit":1001}"#, "/limit must be an integer from -10 to 1000".into()),
        (r#"{"limit":1.5}"#, "/limit must be an integer from -10 to 1000".into()),
        (r#"{"limit":"5"}"#, "/limit must be an integer from -10 to 1000".into()),
        ("[]", "must be a table".into()),
        ("", "must be a table".into()),
        (r#"{"header":"X"#, format!("/header {}", NO_JSON)),
        ("{} {}", NO_JSON.into()),
        (r#"{"hide":true "limit":1}"#, NO_JSON.into()),
        (r#"{"hide" true}"#, NO_JSON.into()),
        (r#"{"header":"\x"}"#, format!("/header {}", NO_JSON)),
        (r#"{"header":"\é"}"#, format!("/header {}", NO_JSON)),
        (r#"{"header":"\u12g4"}"#, format!("/header {}", NO_JSON)),
        (r#"{"header":"\u+123"}"#, format!("/header {}", NO_JSON)),
        ("{\"header\":\"a\nb\"}", format!("/header {}", NO_JSON)),
    ];
    for (raw, want) in tests {
        assert_eq!(settings(raw).unwrap_err().to_string(), want, "{}", raw);
    }
}

#[test]
fn skips() {
    let sub = |raw: &str| {
        let mut sub = String::new();
        read(raw, |key, v| {
            match key {
                "sub" => sub = v.string()?,
                _ => v.skip()?,
            }
            Ok(())
        })
        .map(|()| sub)
    };
    for claims in [
        r#"{"sub":"jo"}"#,
        r#"{"a":[],"b":{},"sub":"jo","c":[1,{"d":[null,"]"]}],"e":-1.5e3}"#,
        r#"{"a":{"sub":"ann","b":{"c":true}},"sub":"jo"}"#,
    ] {
        assert_eq!(sub(claims).as_deref(), Ok("jo"), "{}", claims);
    }
    for claims in [
        r#"{"a":}"#,
        r#"{"a":[1}"#,
        r#"{"a":{"b"}}"#,
        r#"{"a":"b}"#,
        r#"{"a":[,]}"#,
        r#"{"a":1"#,
    ] {
        assert!(sub(claims).is_err(), "{}", claims);
    }
}
