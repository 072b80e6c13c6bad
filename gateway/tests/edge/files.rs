//! Static files: caching, the fallback page, and paths that must not be served.

use gateway::{Gateway, config::Config, serve};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::free_port;

struct Shop {
    url: String,
    client: reqwest::Client,
    _stop: DropGuard,
    _folder: tempfile::TempDir,
}

fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("assets")).unwrap();
    write("index.html", "<h1>the start page</h1>");
    write("assets/app-1a2b.js", "plain");
    write("assets/app-1a2b.js.gz", "as if compressed");
    std::fs::write(folder.path().with_extension("secret"), "not to be served").unwrap();
    let bind = free_port();
    let yaml = format!(
        r#"
version: 1
listeners: {{edge: {{bind: "{bind}"}}}}
upstreams: {{none: {{discover: {{static: []}}}}}}
policies: {{open: [anonymous]}}
routes:
  api: {{match: {{path: /v1/things, methods: [GET]}}, use: [open], to: none}}
  home: {{match: {{path: /, methods: [GET]}}, use: [open], files: &files {{folder: "{folder}", fallback: index.html, never: [/v1], immutable: /assets, headers: {{x-frame-options: DENY}}}}}}
  files: {{match: {{path: "/{{*file}}", methods: [GET]}}, use: [open], files: *files}}
"#,
        folder = folder.path().display()
    );
    let config = Config::parse(&yaml, |_| None).unwrap_or_else(|error| panic!("{error}"));
    let stop = CancellationToken::new();
    let _threads = serve::start(&Gateway::new(config).unwrap(), &stop).unwrap();
    Shop {
        url: format!("http://{bind}"),
        client: reqwest::Client::new(),
        _stop: stop.drop_guard(),
        _folder: folder,
    }
}

impl Shop {
    async fn get(&self, path: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> reqwest::Response {
        let mut request = self.client.get(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request.send().await.unwrap()
    }
}

fn header(answer: &reqwest::Response, name: reqwest::header::HeaderName) -> String {
    let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_owned()
}

#[tokio::test]
async fn pages_are_revalidated_and_hashed_files_are_cached() {
    let shop = shop();
    let page = shop.get("/", &[]).await;
    assert_eq!(
        (page.status().as_u16(), header(&page, CACHE_CONTROL).as_str()),
        (200, "no-cache")
    );
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert!(header(&page, CONTENT_TYPE).starts_with("text/html"));
    let etag = header(&page, ETAG);
    let again = shop.get("/", &[(IF_NONE_MATCH, &etag)]).await;
    assert_eq!(again.status(), 304);

    let code = shop
        .get("/assets/app-1a2b.js", &[(ACCEPT_ENCODING, "gzip")])
        .await;
    assert!(header(&code, CACHE_CONTROL).contains("immutable"));
    assert_eq!(header(&code, CONTENT_ENCODING), "gzip");
    assert!(header(&code, CONTENT_TYPE).contains("javascript"));
    assert_eq!(code.text().await.unwrap(), "as if compressed");
    let plain = shop.get("/assets/app-1a2b.js", &[]).await;
    assert_eq!(plain.text().await.unwrap(), "plain");
}

#[tokio::test]
async fn a_link_to_a_page_of_the_application_gets_the_fallback_page() {
    let shop = shop();
    let html = (ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");
    let page = shop.get("/orders/17/saga", std::slice::from_ref(&html)).await;
    assert_eq!(page.status(), 200);
    assert_eq!(header(&page, CACHE_CONTROL), "no-cache");
    assert_eq!(page.text().await.unwrap(), "<h1>the start page</h1>");
    // A missing script does not get the fallback page.
    assert_eq!(
        shop.get("/assets/app-0000.js", &[(ACCEPT, "*/*")]).await.status(),
        404
    );
    let long = format!("/assets/{}.js", "x".repeat(300));
    assert_eq!(shop.get(&long, &[(ACCEPT, "*/*")]).await.status(), 404);
    // A missing resource of the API does not get the fallback page.
    let missing = shop.get("/v1/nothing", &[html]).await;
    assert_eq!(missing.status(), 404);
    assert_eq!(header(&missing, CONTENT_TYPE), "application/problem+json");
}

#[tokio::test]
async fn files_outside_the_folder_are_not_served() {
    let shop = shop();
    for path in [
        "/%2e%2e/etc/passwd",
        "/..%2fetc/passwd",
        "/assets%5c..%5c..%5cx",
        "//etc/passwd",
    ] {
        let status = shop.get(path, &[]).await.status();
        assert!([400, 404].contains(&status.as_u16()), "{path} is {status}");
    }
    let post = shop
        .client
        .post(format!("{}/index.html", shop.url))
        .send()
        .await
        .unwrap();
    assert_eq!(post.status(), 404);
    let head = shop.client.head(format!("{}/", shop.url)).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), head.text().await.unwrap().as_str()),
        (200, "")
    );
}
