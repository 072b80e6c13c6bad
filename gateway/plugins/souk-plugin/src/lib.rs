//! A library for plugins of the gateway in Rust: the messages that the gateway exchanges with a plugin, and
//! [`plugin!`], which exports the functions that the gateway calls. The interface is described in `docs/gateway.md`,
//! section "Plugins".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Version of the interface between the gateway and a plugin.
pub const ABI_VERSION: i32 = 1;

/// A request, as the gateway describes it to a plugin. `C` is the type of the plugin's `config` in the gateway's file.
#[derive(Debug, Clone, Deserialize)]
pub struct Request<C> {
    /// Name of the route in the gateway's file.
    pub route: String,
    /// The method, such as `GET`.
    pub method: String,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query without its question mark; `None` if there is none.
    pub query: Option<String>,
    /// IP address of the client.
    pub client: String,
    /// Id of the authenticated user; `None` for anonymous requests, and before the link that authenticates.
    pub user: Option<String>,
    /// Roles of the authenticated user.
    pub roles: Vec<String>,
    /// The header fields, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The `config` of the plugin.
    pub config: C,
}

/// A response, as the gateway describes it to a plugin.
#[derive(Debug, Clone, Deserialize)]
pub struct Response<C> {
    /// The status, such as 200.
    pub status: u16,
    /// The header fields, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// What the plugin has stored in [`RequestReply::state`].
    pub state: Option<String>,
    /// The `config` of the plugin.
    pub config: C,
}

/// What a plugin does with a request. The default lets it pass unchanged.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RequestReply {
    /// Names of header fields that are removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Header fields that get this value instead of their previous ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// A text that the plugin gets again with the response. Nothing else is kept between two calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// A response to the client. The request is then not forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respond: Option<LocalResponse>,
}

/// What a plugin does with a response. The default leaves it unchanged.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ResponseReply {
    /// Names of header fields that are removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Header fields that get this value instead of their previous ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
}

/// A response that a plugin sends itself.
#[derive(Debug, Clone, Serialize)]
pub struct LocalResponse {
    /// The status, from 200 to 599.
    pub status: u16,
    /// Header fields, by name in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body, which is empty by default.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
}

impl<C> Request<C> {
    /// The value of a header field, the first one if there are several. `name` is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(own, _)| own == name);
        field.map(|(_, value)| value.as_str())
    }
}

/// Importance of a log line.
#[derive(Debug, Clone, Copy)]
pub enum Level {
    /// Something failed, and someone should look.
    Error = 1,
    /// Something is suspicious, but works.
    Warn = 2,
    /// Something worth knowing in production.
    Info = 3,
    /// Details for the author of the plugin.
    Debug = 4,
}

/// Writes a line to the log of the gateway, which cuts long lines and drops all but the first few of a call.
pub fn log(level: Level, text: &str) {
    #[cfg(target_arch = "wasm32")]
    {
        #[link(wasm_import_module = "souk")]
        unsafe extern "C" {
            #[link_name = "log"]
            fn souk_log(level: i32, text: *const u8, length: usize);
        }
        // SAFETY: the gateway reads `length` bytes at `text`, which is a valid slice during the call.
        unsafe { souk_log(level as i32, text.as_ptr(), text.len()) }
    }
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{level:?}: {text}");
}

/// Reserves memory for a message of the gateway. It is never freed: an instance serves one call.
#[must_use]
pub fn allocate(length: usize) -> *mut u8 {
    Vec::leak(vec![0; length]).as_mut_ptr()
}

/// Reads the message of the gateway, calls the hook, and returns where its reply is: the address in the upper 32 bits and
/// the length in the lower 32.
///
/// # Panics
///
/// If the message does not fit `M`, for example because `config` is not what the plugin expects. The gateway then
/// responds with 500.
///
/// # Safety
///
/// `message` and `length` must describe memory that [`allocate`] has returned.
pub unsafe fn call<M: DeserializeOwned, R: Serialize>(
    message: *const u8,
    length: usize,
    hook: impl FnOnce(&M) -> R,
) -> u64 {
    // SAFETY: the caller guarantees it.
    let message = unsafe { std::slice::from_raw_parts(message, length) };
    let reply = match serde_json::from_slice(message) {
        Ok(message) => hook(&message),
        Err(error) => {
            log(Level::Error, &format!("the message cannot be read: {error}"));
            panic!("the message cannot be read");
        }
    };
    let Ok(reply) = serde_json::to_vec(&reply) else {
        panic!("the reply cannot be written");
    };
    let reply = Vec::leak(reply);
    ((reply.as_ptr() as u64) << 32) | reply.len() as u64
}

/// Exports a plugin: `plugin!(on_request)`, `plugin!(on_request, on_response)`, or `plugin!(_, on_response)`. The hooks are
/// functions that take a reference to a [`Request`] or [`Response`] and return a [`RequestReply`] or [`ResponseReply`].
#[macro_export]
macro_rules! plugin {
    (_ $(, $on_response:ident)?) => {
        #[cfg(target_arch = "wasm32")]
        mod exports {
            #[unsafe(no_mangle)]
            extern "C" fn souk_abi() -> i32 {
                $crate::ABI_VERSION
            }

            #[unsafe(no_mangle)]
            extern "C" fn souk_alloc(length: usize) -> *mut u8 {
                $crate::allocate(length)
            }

            $(
                #[unsafe(no_mangle)]
                unsafe extern "C" fn souk_on_response(message: *const u8, length: usize) -> u64 {
                    unsafe { $crate::call(message, length, super::$on_response) }
                }
            )?
        }
    };
    ($on_request:ident $(, $on_response:ident)?) => {
        $crate::plugin!(_ $(, $on_response)?);

        #[cfg(target_arch = "wasm32")]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn souk_on_request(message: *const u8, length: usize) -> u64 {
            unsafe { $crate::call(message, length, $on_request) }
        }
    };
}
