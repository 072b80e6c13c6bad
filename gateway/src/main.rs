//! `gateway` serves; `gateway check FILE` says whether a file is good.

use std::process::ExitCode;

use anyhow::Result;
use gateway::{Gateway, config::Config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => gateway::process::serve().await.map(|()| ExitCode::SUCCESS),
        ["check", file] => Ok(check(file)),
        _ => anyhow::bail!("usage: gateway [check FILE]"),
    }
}

/// One line for the person who wrote the file, and a status for a script.
fn check(file: &str) -> ExitCode {
    let checked = Config::read(file.as_ref())
        .map_err(anyhow::Error::from)
        .and_then(Gateway::new);
    match checked {
        Ok(_) => {
            println!("{file} is good");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{file}: {error}");
            ExitCode::FAILURE
        }
    }
}
