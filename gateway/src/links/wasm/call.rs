//! One call of a plugin, in a new instance that is dropped afterwards.

use wasmi::{
    AsContextMut as _, Caller, Error, Extern, Instance, Memory, Store, StoreLimits, StoreLimitsBuilder,
    TrapCode, TypedResumableCall, WasmParams, WasmResults,
    errors::{ErrorKind, InstantiationError},
};

use super::{
    Limits,
    module::{Hook, Plugin},
};

/// Fuel after which a call lets the core serve other requests: some hundred microseconds.
const SLICE: u64 = 200_000;
/// Number of lines that a call can log.
const MAX_LINES: usize = 10;
/// Length of a log line in bytes; longer ones are cut.
const MAX_LINE: usize = 1024;
/// Length of a reply in bytes.
const MAX_REPLY: usize = 1 << 20;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The plugin needs more instructions than it may execute.
    #[error("the plugin has used up its fuel")]
    Fuel,
    /// The plugin needs more memory than it may have.
    #[error("the plugin needs more memory than its limit")]
    Memory,
    /// The plugin trapped, for example because of a panic or an exception in its language.
    #[error("{0}")]
    Trap(Error),
    /// The reply cannot be read, or contains something that is not allowed.
    #[error("the reply of the plugin is invalid: {0}")]
    Reply(String),
}

impl Failure {
    /// The reasons of all failures, for metrics.
    pub(super) const REASONS: [&str; 4] = ["fuel", "memory", "trap", "reply"];

    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Trap(_) => "trap",
            Self::Reply(_) => "reply",
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "for use with `map_err`")]
    pub(super) fn reply(error: impl ToString) -> Self {
        Self::Reply(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use InstantiationError::{FailedToInstantiateMemory, FailedToInstantiateTable};
        use TrapCode::{GrowthOperationLimited, OutOfFuel, OutOfSystemMemory};
        match (error.as_trap_code(), error.kind()) {
            (Some(OutOfFuel), _) => Self::Fuel,
            (Some(GrowthOperationLimited | OutOfSystemMemory), _)
            | (_, ErrorKind::Instantiation(FailedToInstantiateMemory(_) | FailedToInstantiateTable(_))) => {
                Self::Memory
            }
            _ => Self::Trap(error),
        }
    }
}

/// What the gateway knows about an instance.
#[derive(Debug)]
pub(super) struct Host {
    policy: String,
    limits: StoreLimits,
    /// Number of lines that the plugin can still log.
    lines: usize,
}

/// An instance that serves one call.
#[derive(Debug)]
pub(super) struct Call {
    store: Store<Host>,
    instance: Instance,
    memory: Memory,
    /// Fuel that the call may use in addition to that of the store.
    fuel: u64,
}

impl Call {
    /// Creates an instance. `policy` is for the log lines of the plugin.
    pub(super) fn start(plugin: &Plugin, limits: Limits, policy: &str) -> Result<Self, Failure> {
        let host = Host {
            policy: policy.to_owned(),
            limits: StoreLimitsBuilder::new()
                .memory_size(limits.memory)
                .table_elements(limits.memory / size_of::<u64>())
                .trap_on_grow_failure(true)
                .build(),
            lines: MAX_LINES,
        };
        let mut store = Store::new(plugin.module.engine(), host);
        store.limiter(|host| &mut host.limits);
        store.set_fuel(limits.fuel)?;
        let instance = plugin.linker.instantiate_and_start(&mut store, &plugin.module)?;
        let fuel = store.get_fuel()?;
        store.set_fuel(fuel.min(SLICE))?;
        let memory = instance.get_memory(&store, "memory");
        Ok(Self {
            memory: memory.ok_or_else(|| Failure::reply("there is no memory"))?,
            fuel: fuel.saturating_sub(SLICE),
            store,
            instance,
        })
    }

    /// The version of the interface that the plugin uses.
    pub(super) fn version(mut self) -> Result<i32, Failure> {
        let abi = self.instance.get_typed_func::<(), i32>(&self.store, "souk_abi")?;
        Ok(abi.call(&mut self.store, ())?)
    }

    /// Calls a hook with this message. Returns the reply, which is empty if the plugin has none.
    pub(super) async fn run(mut self, hook: Hook, message: &[u8]) -> Result<Vec<u8>, Failure> {
        let length = i32::try_from(message.len()).map_err(Failure::reply)?;
        let address = self.resume_until_done::<i32, i32>("souk_alloc", length).await?;
        let place = usize::try_from(address.cast_unsigned()).map_err(Failure::reply)?;
        self.memory
            .write(&mut self.store, place, message)
            .map_err(|_| Failure::reply("`souk_alloc` has returned an address outside the memory"))?;
        let packed = self.resume_until_done::<(i32, i32), i64>(hook.name(), (address, length));
        let packed = packed.await?.cast_unsigned();
        let half = |bits: u64| usize::try_from(bits).unwrap_or(usize::MAX);
        let (address, length) = (half(packed >> 32), half(packed & u64::from(u32::MAX)));
        if length > MAX_REPLY {
            return Err(Failure::reply("it is larger than 1 MiB"));
        }
        let memory = self.memory.data(&self.store);
        let reply = memory.get(address..address.saturating_add(length));
        let reply = reply.ok_or_else(|| Failure::reply("it is outside the memory"))?;
        Ok(reply.to_vec())
    }

    /// Calls a function. Each time that the call has used up a slice of its fuel, other requests of the core are
    /// served.
    async fn resume_until_done<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
        params: P,
    ) -> Result<R, Failure> {
        let function = self.instance.get_typed_func::<P, R>(&self.store, name)?;
        let mut outcome = function.call_resumable(&mut self.store, params)?;
        loop {
            match outcome {
                TypedResumableCall::Finished(result) => return Ok(result),
                TypedResumableCall::HostTrap(call) => return Err(Failure::reply(call.host_error())),
                TypedResumableCall::OutOfFuel(call) => {
                    let unused = self.store.get_fuel()?;
                    let more = SLICE.max(call.required_fuel()).min(self.fuel);
                    self.fuel -= more;
                    if more == 0 || unused + more < call.required_fuel() {
                        return Err(Failure::Fuel);
                    }
                    tokio::task::yield_now().await;
                    self.store.set_fuel(unused + more)?;
                    outcome = call.resume(&mut self.store)?;
                }
            }
        }
    }
}

/// The function `souk.log` for plugins: writes the text at an address to the log. Levels are 1 (error), 2 (warning), 3
/// (information) and 4 (details).
pub(super) fn log(mut caller: Caller<'_, Host>, level: i32, address: u32, length: u32) {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    let Some(memory) = memory else { return };
    let (memory, host) = memory.data_and_store_mut(caller.as_context_mut());
    if host.lines == 0 {
        return;
    }
    host.lines -= 1;
    let (start, length) = (address as usize, (length as usize).min(MAX_LINE));
    let text = memory
        .get(start..start.saturating_add(length))
        .unwrap_or_default();
    let text = String::from_utf8_lossy(text).replace(char::is_control, " ");
    let policy = &host.policy;
    match level {
        1 => tracing::error!(policy, text, "log line of a plugin"),
        2 => tracing::warn!(policy, text, "log line of a plugin"),
        3 => tracing::info!(policy, text, "log line of a plugin"),
        _ => tracing::debug!(policy, text, "log line of a plugin"),
    }
}
