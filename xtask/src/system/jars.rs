//! Finds or installs Apache Kafka: its jars from Maven, and a Java that runs them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::{
    find,
    install::{install_packages, make_readable, run_logged},
    is_executable,
};
use crate::progress::step;

const KAFKA: &str = "4.2.1";
/// Oldest major version of Java that can run Kafka 4.
const JAVA_AT_LEAST: u32 = 17;
/// Version of SLF4J's simple logger. Kafka logs through SLF4J 1.7 but contains no implementation.
const LOGGER: &str = "1.7.36";

/// Paths that are needed to run Kafka.
#[derive(Debug, Clone)]
pub(crate) struct Kafka {
    pub(crate) java: PathBuf,
    /// Folder that contains all jars.
    pub(crate) jars: PathBuf,
}

/// Finds Kafka, or installs it into `tools`.
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
        install_packages(&missing, log)?;
    }
    let Some(java) = java() else {
        bail!(
            "Kafka needs Java {JAVA_AT_LEAST} or newer, but the installed one is older; put a newer `java` on PATH"
        );
    };
    if is_missing {
        step(&format!("download Apache Kafka {KAFKA} (Maven)"), || {
            fetch(tools, &jars, log)
        })?;
    }
    Ok(Kafka { java, jars })
}

/// Downloads the jars. The folder gets its final name only when it is complete.
fn fetch(tools: &Path, jars: &Path, log: &Path) -> Result<()> {
    let draft = tools.join("kafka-draft");
    let _ = std::fs::remove_dir_all(&draft);
    std::fs::create_dir_all(&draft).with_context(|| format!("cannot create {}", draft.display()))?;
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
    run_logged(&mut maven, log).context("Maven could not download Apache Kafka; check the network")?;
    make_readable(&draft)?;
    std::fs::rename(draft.join("jars"), jars)?;
    std::fs::remove_dir_all(draft)?;
    Ok(())
}

/// Finds the system's Java, or the one on PATH, if it is new enough. The servers' account cannot access one that a version
/// manager has installed in a home folder.
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

/// Major version in the output of `java -version`: 17 for `openjdk version "17.0.15" 2025-04-15`.
fn version(output: &str) -> Option<u32> {
    output
        .split_once('"')?
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
        // Java 8 reports 1, which is too old as well.
        assert_eq!(version("java version \"1.8.0_392\""), Some(1));
        assert_eq!(version("no such file"), None);
    }
}
