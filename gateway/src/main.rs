//! Command line of the gateway; see [`USAGE`].

use std::process::ExitCode;

use anyhow::Result;
use gateway::{
    config::{Config, environment},
    snapshot,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: gateway                                serve requests
       gateway check FILE                     validate a configuration file
       gateway explain METHOD PATH [HEADER]…  say which route serves a request and why; a header is `name: value`.
                                              The file is $SOUK_GATEWAY_CONFIG, or gateway.yaml
       gateway schema                         print the JSON Schema of the file, for editors";

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => gateway::process::run().await.map(|()| ExitCode::SUCCESS),
        ["check", file] => Ok(print(read(file).map(|_| format!("{file} is valid")))),
        ["explain", method, path, ref headers @ ..] => {
            let file = environment("SOUK_GATEWAY_CONFIG").unwrap_or_else(|| "gateway.yaml".to_owned());
            Ok(print(read(&file).and_then(|config| {
                snapshot::explain(config, method, path, headers)
            })))
        }
        ["reference"] => {
            println!("{}", Config::reference());
            Ok(ExitCode::SUCCESS)
        }
        ["schema"] => {
            println!("{}", serde_json::to_string_pretty(&Config::schema())?);
            Ok(ExitCode::SUCCESS)
        }
        _ => anyhow::bail!("{USAGE}"),
    }
}

/// Reads and validates a file. The error names it.
fn read(file: &str) -> Result<Config> {
    let read = || {
        let config = Config::read(file.as_ref())?;
        snapshot::check(&config).map(|()| config)
    };
    read().map_err(|error| anyhow::anyhow!("{file}: {error}"))
}

/// Prints a result for the author of the file; the exit status is for scripts.
fn print(result: Result<String>) -> ExitCode {
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
