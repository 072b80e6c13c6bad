//! Replaces `${NAME}` and `${NAME:-default}` by environment variables before the file is parsed, so that one file
//! serves all environments. A value with a line break is rejected, so that it cannot add structure to the file.

use super::ConfigError;

/// Expands every variable. Fails with the position of a variable that is neither set nor has a default. An empty value
/// counts as not set.
pub(super) fn expand(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let mut rest = line;
        while let Some(start) = rest.find("${") {
            let column = line.len() - rest.len() + start + 1;
            let fail = |message: String| ConfigError::at(number as u64 + 1, column as u64, message);
            let (before, after) = rest.split_at(start);
            let end = after
                .find('}')
                .ok_or_else(|| fail("`${` is not closed by `}`".into()))?;
            let inner = &after[2..end];
            let (name, default) = match inner.split_once(":-") {
                Some((name, default)) => (name, Some(default.to_owned())),
                None => (inner, None),
            };
            let value = variable(name).filter(|value| !value.is_empty()).or(default);
            let value = value.ok_or_else(|| fail(format!("{name} is not set and has no default")))?;
            if value.contains(['\n', '\r']) {
                return Err(fail(format!("the value of {name} has a line break")));
            }
            out.push_str(before);
            out.push_str(&value);
            rest = &after[end + 1..];
        }
        out.push_str(rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_the_value_or_the_default_and_reports_the_position_of_an_error() {
        let env = |name: &str| (name == "SET").then(|| "value".to_owned());
        assert_eq!(
            expand("a: ${SET}\nb: ${UNSET:-x:1}/${SET:-y}\n", env).unwrap(),
            "a: value\nb: x:1/value\n"
        );
        let error = expand("a: 1\nb: ${UNSET}", env).unwrap_err().to_string();
        assert_eq!(error, "line 2, column 4: UNSET is not set and has no default");
        assert!(
            expand("a: ${SET", env)
                .unwrap_err()
                .to_string()
                .starts_with("line 1, column 4")
        );
        assert!(expand("a: ${EVIL}", |_| Some("x\nroutes: {}".into())).is_err());
    }
}
