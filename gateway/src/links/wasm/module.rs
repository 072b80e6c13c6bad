//! A plugin that was read from its file and checked.

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use wasmi::{CompilationMode, Engine, ExternType, Linker, Module, ValType};

use super::{
    Limits,
    call::{Call, Host, log},
};

/// Version of the interface between the gateway and a plugin.
const ABI_VERSION: i32 = 1;

/// A function of a plugin that the gateway calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hook {
    /// Called before the request is forwarded.
    Request,
    /// Called before the response is sent to the client.
    Response,
}

impl Hook {
    /// The name of the exported function.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Request => "souk_on_request",
            Self::Response => "souk_on_response",
        }
    }
}

/// A module that has the functions of the interface, and imports nothing but the log.
#[derive(Debug)]
pub(super) struct Plugin {
    /// SHA-256 of the file.
    pub(super) digest: [u8; 32],
    pub(super) module: Module,
    pub(super) linker: Linker<Host>,
    hooks: Vec<Hook>,
}

impl Plugin {
    /// Checks a module: it has the functions of the interface, imports only the log, and starts within the limits.
    pub(super) fn load(bytes: &[u8], limits: Limits) -> anyhow::Result<Self> {
        let mut config = wasmi::Config::default();
        config
            .consume_fuel(true)
            .allow_start_fn(false)
            .wasm_multi_memory(false)
            .compilation_mode(CompilationMode::LazyTranslation);
        // Each plugin has an engine of its own, because an engine never frees the code of a module.
        let engine = Engine::new(&config);
        let module = Module::new(&engine, bytes).context("it is no valid WebAssembly module")?;
        for import in module.imports() {
            let (from, name) = (import.module(), import.name());
            ensure!(
                (from, name) == ("souk", "log"),
                "it imports `{from}.{name}`, but only `souk.log` exists"
            );
        }
        let has_memory = matches!(module.get_export("memory"), Some(ExternType::Memory(_)));
        ensure!(has_memory, "it does not export its `memory`");
        let (int, long) = (ValType::I32, ValType::I64);
        require(&module, "souk_abi", &[], int)?;
        require(&module, "souk_alloc", &[int], int)?;
        let mut hooks = vec![];
        for hook in [Hook::Request, Hook::Response] {
            if module.get_export(hook.name()).is_some() {
                require(&module, hook.name(), &[int, int], long)?;
                hooks.push(hook);
            }
        }
        ensure!(
            !hooks.is_empty(),
            "it exports neither `souk_on_request` nor `souk_on_response`"
        );
        let mut linker = Linker::new(&engine);
        linker.func_wrap("souk", "log", log)?;
        let plugin = Self {
            digest: Sha256::digest(bytes).into(),
            module,
            linker,
            hooks,
        };
        let version = Call::start(&plugin, limits, "")?.version()?;
        if version != ABI_VERSION {
            bail!(
                "it uses version {version} of the interface, but this gateway supports version {ABI_VERSION}"
            );
        }
        Ok(plugin)
    }

    /// Whether the plugin has this hook.
    pub(super) fn has(&self, hook: Hook) -> bool {
        self.hooks.contains(&hook)
    }
}

/// Checks that a module exports a function of this type.
fn require(module: &Module, name: &str, params: &[ValType], result: ValType) -> anyhow::Result<()> {
    let Some(ExternType::Func(function)) = module.get_export(name) else {
        bail!("it does not export the function `{name}`");
    };
    ensure!(
        function.params() == params && function.results() == [result],
        "its function `{name}` must take {params:?} and return {result:?}"
    );
    Ok(())
}
