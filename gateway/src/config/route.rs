//! A route of the file: which requests, past which policies, and who answers them.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use serde::Deserialize;

use super::{Name, Span};

/// What is served at one path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Which requests.
    #[serde(rename = "match")]
    pub matches: Match,
    /// The policies it goes through, in this order.
    #[serde(rename = "use")]
    pub uses: Vec<Name>,
    /// The upstream that answers, by itself or with `grpc`.
    #[serde(default)]
    pub to: Option<Name>,
    /// Its deadline; absent: that of `limits`.
    #[serde(default)]
    pub deadline: Option<Span>,
    /// The answer is a stream: the deadline ends with its head, then this much silence ends it.
    #[serde(default)]
    pub idle: Option<Span>,
    /// Nobody waits for what the upstream says: where it has no answer, the request is accepted (202) and dropped.
    #[serde(default)]
    pub best_effort: bool,
    /// The request is spans of browsers, of which the upstream, a collector, gets only what this names.
    #[serde(default)]
    pub browser_spans: Option<BrowserSpans>,
    /// The answer is a gRPC method's, as JSON.
    #[serde(default)]
    pub grpc: Option<Grpc>,
    /// The answer is joined from several.
    #[serde(default)]
    pub aggregate: Option<Aggregate>,
    /// The answer is a file.
    #[serde(default)]
    pub files: Option<Files>,
    /// The answer is the gateway's own.
    #[serde(default)]
    pub local: Option<Local>,
}

/// A folder whose files are served under their paths; `FILE.br` and `FILE.gz` beside a file are its compressed forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// The folder. Where it is not there, there are no files.
    pub folder: PathBuf,
    /// The file that answers where there is none of that path and a browser asks for a page.
    #[serde(default)]
    pub fallback: Option<String>,
    /// Paths under which nothing is a file, so that what is missing there is missing.
    #[serde(default)]
    pub never: Vec<String>,
    /// A path under which names change with the content; browsers keep those files for ever.
    #[serde(default)]
    pub immutable: Option<String>,
    /// Headers of every file's answer.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// What of the spans that browsers send (OTLP/HTTP, JSON, not compressed) is handed on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrowserSpans {
    /// The only `service.name` that they may have.
    pub service: String,
    /// Spans in one request; more are 422.
    pub max: NonZeroUsize,
    /// Attributes of spans that are handed on; all others are left out.
    pub attributes: Vec<String>,
}

/// What the gateway answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Local {
    /// The process lives.
    Healthz,
    /// It has its keys and is not about to stop.
    Readyz,
    /// The joined API document.
    Openapi,
    /// That document as a page.
    Docs,
    /// Who answers requests, and how they do.
    Upstreams,
}

/// Which requests.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// A path with `{parameters}`, and `{*rest}` at the end for everything below.
    pub path: Name,
    /// Methods; GET includes HEAD.
    pub methods: Vec<String>,
}

/// A unary method, its request as JSON with `{parameters}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grpc {
    /// `package.Service/Method`.
    pub method: Name,
    /// The request message.
    pub request: serde_json::Value,
    /// JSON pointer of the part of the reply that is the answer; absent: all of it.
    #[serde(default)]
    pub pick: Option<String>,
}

/// Answers of several upstreams as one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// What is asked, by name. A part that refers to another, as in `{order/lines/*/sku}`, waits for it; the rest runs
    /// in parallel.
    pub parts: BTreeMap<String, Part>,
    /// The part whose fields stand at the top of the answer; absent: each part stands under its name.
    #[serde(default)]
    pub merge: Option<Name>,
    /// Parts that are lists, put into the elements of another list.
    #[serde(default)]
    pub join: Vec<Join>,
    /// Line totals and their sum.
    #[serde(default)]
    pub total: Option<Total>,
}

/// One of the answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The upstream.
    pub to: Name,
    /// Path and query there.
    #[serde(default)]
    pub path: Option<String>,
    /// Or a gRPC method.
    #[serde(default)]
    pub grpc: Option<Grpc>,
    /// Without it there is no answer; otherwise the answer has `null` instead and names it in `degraded`.
    #[serde(default)]
    pub required: bool,
    /// JSON pointer into its answer; absent: all of it.
    #[serde(default)]
    pub pick: Option<String>,
}

/// Puts the elements of `part` into those of the list at `into`, where both have the same value of `by`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The part whose answer is a list.
    pub part: Name,
    /// JSON pointer of the list in the answer.
    pub into: String,
    /// The field that both have.
    pub by: String,
    /// The field that it becomes.
    pub r#as: String,
}

/// `line_total` of each element of the list at `lines`, and `total` beside the list: quantity × price.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// JSON pointer of the list in the answer.
    pub lines: String,
    /// JSON pointer of the quantity in a line.
    pub quantity: String,
    /// JSON pointer of the price, `{amount, currency}`, in a line.
    pub price: String,
}
