//! Redirects clients to another URL.

use http::{HeaderValue, Response, StatusCode, Uri, header};

use crate::{
    config,
    message::{Problem, ResponseBody},
};

/// The action of a route that redirects.
#[derive(Debug)]
pub(crate) struct Redirect {
    /// The new URL, with `{name}` for the parameters of the path.
    to: String,
    status: StatusCode,
}

impl Redirect {
    /// Compiles the action. The error describes an invalid target or status.
    pub(crate) fn new(config: &config::Redirect) -> Result<Self, String> {
        let to = &config.to.value;
        // A parameter must not decide which host the client goes to.
        let rest = to.strip_prefix("https://").or_else(|| to.strip_prefix("http://"));
        let is_fixed = match rest {
            Some(rest) => !rest.split('/').next().unwrap_or_default().contains(['{', '}']),
            None => to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/{"),
        };
        if !is_fixed {
            return Err(
                "a redirect leads to a URL with a fixed host, or to a path with a fixed first segment".into(),
            );
        }
        let status = StatusCode::from_u16(config.status).ok();
        let status = status.filter(|status| [301, 302, 303, 307, 308].contains(&status.as_u16()));
        Ok(Self {
            to: to.clone(),
            status: status.ok_or("the status of a redirect is 301, 302, 303, 307 or 308")?,
        })
    }

    /// The redirect for a request. Parameters are inserted as the client has encoded them. The query is kept unless the
    /// target has one.
    pub(crate) fn respond(
        &self,
        uri: &Uri,
        params: &[(String, String)],
    ) -> Result<Response<ResponseBody>, Problem> {
        let mut to = self.to.clone();
        for (name, value) in params {
            to = to.replace(&format!("{{{name}}}"), value);
        }
        if let Some(query) = uri.query()
            && !to.contains('?')
        {
            to = format!("{to}?{query}");
        }
        let mut response = Response::new(ResponseBody::empty());
        *response.status_mut() = self.status;
        let to = HeaderValue::try_from(to).map_err(|_| Problem::bad_request("the path is not valid"))?;
        response.headers_mut().insert(header::LOCATION, to);
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(to: &str) -> Result<Redirect, String> {
        let config = format!("{{to: \"{to}\"}}");
        Redirect::new(&serde_saphyr::from_str(&config).unwrap())
    }

    #[test]
    fn a_parameter_cannot_choose_the_host() {
        for good in [
            "https://shop.test/{rest}",
            "/new/{rest}",
            "http://shop.test:8080/a?b={id}",
            "/new",
        ] {
            assert!(redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "{rest}",
            "//{rest}",
            "/{rest}",
            "https://{host}/",
            "https://shop.test{rest}",
            "shop.test",
        ] {
            assert!(redirect(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_query_is_kept_unless_the_target_has_one() {
        let location = |to: &str| {
            let params = [("id".to_owned(), "a%2Fb".to_owned())];
            let uri = "/old/a%2Fb?x=1".parse().unwrap();
            let response = redirect(to).unwrap().respond(&uri, &params).unwrap();
            assert_eq!(response.status(), 308);
            response.headers()["location"].to_str().unwrap().to_owned()
        };
        assert_eq!(location("/new/{id}"), "/new/a%2Fb?x=1");
        assert_eq!(
            location("https://shop.test/{id}?y=2"),
            "https://shop.test/a%2Fb?y=2"
        );
    }
}
