//! The settings for registering a process in Consul. Every process accepts them.

use std::{collections::BTreeMap, net::SocketAddr};

use secrecy::SecretString;

use crate::{Error, error::key};

/// The Consul agent at which a process registers itself, and the addresses of the process.
#[derive(Debug, Clone)]
pub struct Consul {
    /// URL of the agent's HTTP API, without a slash at its end.
    pub url: String,
    /// The token for the agent. Without it, requests are anonymous.
    pub token: Option<SecretString>,
    /// Host name or IP address at which others reach this process. Without it, the process finds out by itself.
    pub advertised: Option<String>,
    /// The address on which the process serves HTTP.
    pub http_addr: Option<SocketAddr>,
    /// The address on which the process serves gRPC.
    pub grpc_addr: Option<SocketAddr>,
    /// The address on which the process serves its health checks.
    pub admin_addr: Option<SocketAddr>,
}

impl Consul {
    /// Reads the settings, and removes those that the structure of a process does not have. `None` without an agent.
    pub(crate) fn take(settings: &mut BTreeMap<String, String>) -> Result<Option<Self>, Error> {
        let url = settings.remove("consul_url");
        let token = settings.remove("consul_token");
        let advertised = settings.remove("advertised_addr");
        let Some(url) = url else { return Ok(None) };
        let is_http = ["http://", "https://"]
            .iter()
            .any(|scheme| url.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
        if !is_http {
            return Err(Error::Invalid {
                key: key("consul_url"),
                expected: "expected a URL such as http://127.0.0.1:8500".to_owned(),
            });
        }
        // An invalid address is rejected when the settings are deserialized.
        let listener = |name: &str| settings.get(name).and_then(|text| text.trim().parse().ok());
        Ok(Some(Self {
            url: url.trim_end_matches('/').to_owned(),
            token: token.map(SecretString::from),
            advertised,
            http_addr: listener("http_addr"),
            grpc_addr: listener("grpc_addr"),
            admin_addr: listener("admin_addr"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn take(vars: &[(&str, &str)]) -> Result<Option<Consul>, String> {
        let mut settings: BTreeMap<_, _> = vars
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let taken = Consul::take(&mut settings).map_err(|error| error.to_string())?;
        let left = ["consul_url", "consul_token", "advertised_addr"].map(|name| settings.contains_key(name));
        assert_eq!(left, [false; 3], "the structure of a process has no such fields");
        Ok(taken)
    }

    #[test]
    fn reads_the_agent_and_the_listeners() {
        assert!(take(&[("http_addr", "127.0.0.1:8081")]).unwrap().is_none());
        let consul = take(&[
            ("consul_url", "http://consul:8500/"),
            ("consul_token", "secret"),
            ("advertised_addr", "orders.example"),
            ("http_addr", "0.0.0.0:8082"),
            ("admin_addr", "0.0.0.0:9090"),
        ]);
        let consul = consul.unwrap().unwrap();
        assert_eq!(consul.url, "http://consul:8500");
        assert_eq!(consul.token.unwrap().expose_secret(), "secret");
        assert_eq!(consul.advertised.as_deref(), Some("orders.example"));
        assert_eq!(consul.http_addr.unwrap().port(), 8082);
        assert_eq!(consul.grpc_addr, None);
    }

    #[test]
    fn an_address_without_a_scheme_is_rejected() {
        for url in ["consul:8500", "http://", "consul"] {
            assert_eq!(
                take(&[("consul_url", url)]).unwrap_err(),
                "SOUK_CONSUL_URL: expected a URL such as http://127.0.0.1:8500"
            );
        }
    }
}
