//! Apache Kafka as Maven brings it: its own jars, and a Java to run them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{
    find,
    install::{packages, quietly, readable},
    is_executable,
};
use crate::progress::step;

const KAFKA: &str = "4.2.1";
/// The oldest Java that Kafka 4 runs on.
const JAVA_AT_LEAST: u32 = 17;
/// Kafka logs through SLF4J 1.7, and brings nothing that writes.
const LOGGER: &str = "1.7.36";

/// What runs Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Kafka {
    pub(crate) java: PathBuf,
    /// The folder of the jars.
    pub(crate) jars: PathBuf,
}

/// Finds Kafka, or brings it into `tools`.
pub(crate) fn kafka(tools: &Path, log: &Path) -> Result<Kafka> {
    let jars = tools.join(format!("kafka-{KAFKA}"));
    let is_missing = !jars.is_dir();
    let mut missing = vec![];
    if java().is_none() {
        missing.push("default-jre-headless");
    }
    if is_missing && find("mvn").is_none() {
        missing.push("maven");
    }
    if !missing.is_empty() {
        packages(&missing, log)?;
    }
    let Some(java) = java() else {
        bail!(
            "Kafka needs Java {JAVA_AT_LEAST} or newer, and this system's is older; put a newer `java` on PATH"
        );
    };
    if is_missing {
        step(&format!("fetch Apache Kafka {KAFKA} (Maven)"), || {
            fetch(tools, &jars, log)
        })?;
    }
    Ok(Kafka { java, jars })
}

/// Under another name until it is complete.
fn fetch(tools: &Path, jars: &Path, log: &Path) -> Result<()> {
    let draft = tools.join("kafka-draft");
    let _ = std::fs::remove_dir_all(&draft);
    std::fs::create_dir_all(&draft).with_context(|| format!("cannot make {}", draft.display()))?;
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        )
    };
    let dependencies = [
        dependency("org.apache.kafka", "kafka_2.13", KAFKA),
        dependency("org.apache.kafka", "kafka-tools", KAFKA),
        dependency("org.slf4j", "slf4j-simple", LOGGER),
    ]
    .concat();
    let project = format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>
         <groupId>souk</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
         <dependencies>{dependencies}</dependencies></project>"
    );
    std::fs::write(draft.join("pom.xml"), project)?;
    let mut maven = Command::new("mvn");
    maven
        .args(["-q", "-B", "dependency:copy-dependencies"])
        .args(["-DincludeScope=runtime", "-DoutputDirectory=jars"])
        .current_dir(&draft)
        .stdin(Stdio::null());
    quietly(&mut maven, log).context("Apache Kafka could not be fetched by Maven; check the network")?;
    readable(&draft)?;
    std::fs::rename(draft.join("jars"), jars)?;
    std::fs::remove_dir_all(draft)?;
    Ok(())
}

/// The system's Java, or the one on PATH, if it is new enough. One from a version manager in somebody's home is out of
/// reach for the servers' account.
fn java() -> Option<PathBuf> {
    let packaged = Some(PathBuf::from("/usr/bin/java")).filter(|program| is_executable(program));
    let candidates = packaged.into_iter().chain(find("java"));
    candidates
        .into_iter()
        .find(|program| major(program) >= Some(JAVA_AT_LEAST))
}

fn major(java: &Path) -> Option<u32> {
    let output = Command::new(java).arg("-version").output().ok()?;
    version(&String::from_utf8_lossy(&output.stderr))
}

/// 17 of `openjdk version "17.0.15" 2025-04-15`.
fn version(told: &str) -> Option<u32> {
    told.split_once('"')?
        .1
        .split(['.', '-', '"'])
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_major_version_of_java_is_its_first_number() {
        assert_eq!(version("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(version("openjdk version \"25\" 2025-09-16"), Some(25));
        assert_eq!(version("openjdk version \"22-ea\" 2024-03-19"), Some(22));
        // Java 8, which is old enough whatever it calls itself.
        assert_eq!(version("java version \"1.8.0_392\""), Some(1));
        assert_eq!(version("no such file"), None);
    }
}
