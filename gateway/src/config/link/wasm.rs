//! The link that runs a plugin.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::{Bytes, Name, Placed};

/// Calls a plugin, which is a WebAssembly module. It may change header fields of requests and responses, and respond
/// itself. A call that fails is answered with 500.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wasm {
    /// Path of the module, relative to the folder of this file. A changed module is noticed within seconds.
    pub file: Name,
    /// Maximum number of instructions of one call, roughly: an instruction that copies or reserves memory counts as
    /// several. Default: 10,000,000, which takes about 20 ms.
    #[serde(default = "Wasm::default_fuel")]
    pub fuel: Placed<u64>,
    /// Maximum size of the plugin's memory during one call. Default: 4 MiB.
    #[serde(default = "Wasm::default_memory")]
    pub memory: Bytes,
    /// Values for the plugin, which it gets with each call. Absent: none.
    #[serde(default)]
    pub config: BTreeMap<String, serde_json::Value>,
}

impl Wasm {
    fn default_fuel() -> Placed<u64> {
        Placed {
            value: 10_000_000,
            line: 0,
            column: 0,
        }
    }

    fn default_memory() -> Bytes {
        Bytes(4 << 20)
    }
}
