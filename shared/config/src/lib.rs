//! Reads `SOUK_*` environment variables into the settings of a process. Unknown keys are rejected. Errors name the key and
//! the expected format, but never show a value, because it could be a secret.

mod consul;
mod env;
mod error;
mod safety;

use std::{collections::BTreeMap, net::SocketAddr};

use serde::de::DeserializeOwned;

pub use consul::Consul;
pub use error::Error;
pub use safety::is_published;
pub use secrecy::{ExposeSecret, SecretString};

/// Prefix of the environment variables of all settings.
pub const PREFIX: &str = "SOUK_";
/// Prefix of the tests' variables. They are ignored, so that a shell prepared for the tests can also start a process.
const TEST_PREFIX: &str = "SOUK_TEST_";

/// Reads the settings of this process.
///
/// `T` derives `Deserialize` with `#[serde(deny_unknown_fields)]`; a field `database_url` is the key
/// `SOUK_DATABASE_URL`. A key with the suffix `_FILE` is the path of a file, such as a mounted container secret, which
/// contains the value of the key without the suffix; a trailing line break is removed. List items are separated by commas.
/// A field whose type is a struct is a group: `SOUK_TLS_KEY` is the field `key` of the field `tls`.
/// An empty value is the same as an absent key.
///
/// Every process also accepts these keys:
/// - `SOUK_DEMO`: whether this is a demo. Only a demo accepts values that contain a secret that is published in the
///   repository, such as a database URL with a demo password.
/// - `SOUK_PUBLISHED_ADDR`: the IP address at which clients reach the process, if it differs from the address that it
///   listens on. Containers listen on 0.0.0.0, whichever address is published.
/// - `SOUK_DEMO_PUBLIC`: allows a demo to be served on addresses other than loopback addresses.
/// - `SOUK_CONSUL_URL`: the agent of Consul at which a service registers itself, such as `http://127.0.0.1:8500`. If it is
///   not set, the service does not register.
/// - `SOUK_CONSUL_TOKEN`: the token for that agent, if it requires one.
/// - `SOUK_ADVERTISED_ADDR`: the host name or IP address under which the service registers. By default, this is the address
///   that it listens on, or for 0.0.0.0 the address from which it reaches the agent.
pub fn load<T: DeserializeOwned>() -> Result<T, Error> {
    from_vars(environment())
}

/// Like [`load`], but from the given variables. For tests and for settings from other sources.
pub fn from_vars<T: DeserializeOwned>(vars: impl IntoIterator<Item = (String, String)>) -> Result<T, Error> {
    let mut settings = read(vars)?;
    safety::check(&mut settings)?;
    Consul::take(&mut settings)?;
    T::deserialize(env::Settings(settings))
}

/// Fails if this is a demo and `addr` can be reached from other machines. For addresses that come from a file; [`load`]
/// checks those in the settings. The error names the address as `what`.
pub fn check_listener(what: &str, addr: SocketAddr) -> Result<(), Error> {
    safety::Exposure::take(&mut read(environment())?)?.check(what, addr)
}

/// Returns the agent of Consul at which this process registers itself. `None` if `SOUK_CONSUL_URL` is not set.
pub fn consul() -> Result<Option<Consul>, Error> {
    Consul::take(&mut read(environment())?)
}

fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(key, value)| {
        let key = key.into_string().ok()?;
        Some((key, value.to_string_lossy().into_owned()))
    })
}

/// Returns the values of all `SOUK_*` variables by field name, which is the key in lower case without the prefix.
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
        tls: Option<Tls>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Tls {
        key: String,
        callers: Vec<String>,
    }

    fn load(vars: &[(&str, &str)]) -> Result<Settings, String> {
        let all = vars
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        from_vars(all.chain([("PATH".to_owned(), "/bin".to_owned())])).map_err(|error| error.to_string())
    }

    const ADDR: (&str, &str) = ("SOUK_HTTP_ADDR", "127.0.0.1:8081");

    #[test]
    fn reads_values_of_every_type() {
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
    fn settings_of_a_group_have_its_key_before_theirs() {
        assert!(load(&[ADDR]).unwrap().tls.is_none());
        let key = ("SOUK_TLS_KEY", "a.key");
        let tls = load(&[ADDR, key, ("SOUK_TLS_CALLERS", "a,b")])
            .unwrap()
            .tls
            .unwrap();
        assert_eq!((tls.key.as_str(), tls.callers.len()), ("a.key", 2));
        assert_eq!(load(&[ADDR, key]).unwrap_err(), "SOUK_TLS_CALLERS is not set");
        assert_eq!(
            load(&[ADDR, key, ("SOUK_TLS_KEYS", "x")]).unwrap_err(),
            "SOUK_TLS_KEYS is not a setting of this process; its settings are SOUK_TLS_KEY, SOUK_TLS_CALLERS"
        );
        let unknown = load(&[ADDR, ("SOUK_WORKERS_MAX", "2")]).unwrap_err();
        assert!(
            unknown.starts_with("SOUK_WORKERS_MAX is not a setting"),
            "{unknown}"
        );
        let both = load(&[ADDR, ("SOUK_WORKERS", "2"), ("SOUK_WORKERS_MAX", "2")]).unwrap_err();
        assert!(both.starts_with("SOUK_WORKERS_MAX is not a setting"), "{both}");
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
            "SOUK_HTPP_ADDR is not a setting of this process; its settings are \
             SOUK_HTTP_ADDR, SOUK_SECRET, SOUK_DEMO, SOUK_SECRETS, SOUK_WORKERS, SOUK_TLS"
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
