//! Reads `SOUK_*` environment variables into a process's documented settings. Every key must be known, every error says
//! which key is meant and what was expected, and no error ever shows a value: it could be a secret.

mod env;
mod error;
mod safety;

use std::{collections::BTreeMap, net::SocketAddr};

use serde::de::DeserializeOwned;

pub use error::Error;
pub use safety::is_published;
pub use secrecy::{ExposeSecret, SecretString};

/// What every key begins with.
pub const PREFIX: &str = "SOUK_";
/// Keys that the tests own, so that a shell prepared for them can also start a process.
const TEST_PREFIX: &str = "SOUK_TEST_";

/// Reads the settings of this process.
///
/// `T` derives `Deserialize` with `#[serde(deny_unknown_fields)]`; a field `database_url` is the key
/// `SOUK_DATABASE_URL`. A key that ends in `_FILE` names a file whose text (without the line's end) is the value of the
/// key without `_FILE`, as container secrets are mounted. Lists are separated by commas. An empty value is an absent key.
///
/// Every process knows these keys beside its own:
/// - `SOUK_DEMO`: whether this is a demo. Only a demo accepts secrets that are published in the repository, also as a part
///   of a value such as a database's URL.
/// - `SOUK_PUBLISHED_ADDR`: the IP address at which clients reach what this process serves, where that is not the address
///   it listens on; containers listen on 0.0.0.0, whatever address is published.
/// - `SOUK_DEMO_PUBLIC`: lets a demo be served on other addresses than loopback ones.
pub fn load<T: DeserializeOwned>() -> Result<T, Error> {
    from_vars(environment())
}

/// As [`load`], from the given variables; for tests, and for settings that come from elsewhere.
pub fn from_vars<T: DeserializeOwned>(vars: impl IntoIterator<Item = (String, String)>) -> Result<T, Error> {
    let mut settings = read(vars)?;
    safety::check(&mut settings)?;
    T::deserialize(env::Settings(settings))
}

/// Refuses a demo that listens on an address that other machines can reach. For addresses that come from a file; those among
/// the settings are checked by [`load`]. `what` names the address in the error.
pub fn check_listener(what: &str, addr: SocketAddr) -> Result<(), Error> {
    safety::Exposure::take(&mut read(environment())?)?.check(what, addr)
}

fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(key, value)| {
        let key = key.into_string().ok()?;
        Some((key, value.to_string_lossy().into_owned()))
    })
}

/// The values of all `SOUK_*` keys, by their names without the prefix, in lower case.
fn read(vars: impl IntoIterator<Item = (String, String)>) -> Result<BTreeMap<String, String>, Error> {
    let mut settings = BTreeMap::new();
    for (key, value) in vars {
        let Some(name) = key.strip_prefix(PREFIX).filter(|_| !key.starts_with(TEST_PREFIX)) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let (name, value) = match name.strip_suffix("_FILE") {
            Some(name) => {
                let text = std::fs::read_to_string(&value).map_err(|source| Error::Unreadable {
                    key: key.clone(),
                    source,
                })?;
                (name, text.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => (name, value),
        };
        if settings.insert(name.to_lowercase(), value).is_some() {
            return Err(Error::Twice(format!("{PREFIX}{name}")));
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        http_addr: SocketAddr,
        secret: Option<SecretString>,
        #[serde(default)]
        demo: bool,
        #[serde(default)]
        secrets: Vec<String>,
        #[serde(default)]
        workers: Option<u16>,
    }

    fn load(vars: &[(&str, &str)]) -> Result<Settings, String> {
        let all = vars
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        from_vars(all.chain([("PATH".to_owned(), "/bin".to_owned())])).map_err(|error| error.to_string())
    }

    const ADDR: (&str, &str) = ("SOUK_HTTP_ADDR", "127.0.0.1:8081");

    #[test]
    fn reads_every_kind_of_value() {
        let settings = load(&[
            ADDR,
            ("SOUK_SECRET", "12345"),
            ("SOUK_DEMO", "true"),
            ("SOUK_SECRETS", "one, two"),
            ("SOUK_WORKERS", ""),
            ("SOUK_TEST_POSTGRES", "postgres://"),
        ])
        .unwrap();
        assert_eq!(settings.http_addr.port(), 8081);
        assert_eq!(settings.secret.unwrap().expose_secret(), "12345");
        assert!(settings.demo);
        assert_eq!(settings.secrets, ["one", "two"]);
        assert_eq!(settings.workers, None);
    }

    #[test]
    fn reads_a_value_from_a_file() {
        let path = std::env::temp_dir().join(format!("souk-config-{}", std::process::id()));
        std::fs::write(&path, "from a file\n").unwrap();
        let settings = load(&[ADDR, ("SOUK_SECRET_FILE", path.to_str().unwrap())]).unwrap();
        assert_eq!(settings.secret.unwrap().expose_secret(), "from a file");
        let twice = load(&[
            ADDR,
            ("SOUK_SECRET", "x"),
            ("SOUK_SECRET_FILE", path.to_str().unwrap()),
        ]);
        assert_eq!(
            twice.unwrap_err(),
            "SOUK_SECRET is set twice, directly and by SOUK_SECRET_FILE"
        );
        std::fs::remove_file(&path).unwrap();
        let gone = load(&[ADDR, ("SOUK_SECRET_FILE", path.to_str().unwrap())]);
        assert!(
            gone.unwrap_err()
                .starts_with("SOUK_SECRET_FILE: cannot read the file it names")
        );
    }

    #[test]
    fn errors_name_the_key_and_what_is_expected_but_never_the_value() {
        assert_eq!(load(&[]).unwrap_err(), "SOUK_HTTP_ADDR is not set");
        assert_eq!(
            load(&[ADDR, ("SOUK_HTPP_ADDR", "x")]).unwrap_err(),
            "SOUK_HTPP_ADDR is not a key of this process; it knows \
             SOUK_HTTP_ADDR, SOUK_SECRET, SOUK_DEMO, SOUK_SECRETS, SOUK_WORKERS"
        );
        assert_eq!(
            load(&[ADDR, ("SOUK_DEMO", "hunter2")]).unwrap_err(),
            "SOUK_DEMO: expected true or false"
        );
        assert_eq!(
            load(&[ADDR, ("SOUK_WORKERS", "70000")]).unwrap_err(),
            "SOUK_WORKERS: expected a whole number from 0 to 65535"
        );
        let address = load(&[("SOUK_HTTP_ADDR", "hunter2")]).unwrap_err();
        assert_eq!(address, "SOUK_HTTP_ADDR: invalid socket address syntax");
    }
}
