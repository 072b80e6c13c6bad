//! As much of MongoDB's wire protocol as it takes to ask whether a server is ready; a driver would double the time that
//! xtask needs to compile. One `OP_MSG` (opcode 2013) there and one back.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Result, ensure};

const OP_MSG: i32 = 2013;
/// Answers here are some hundred bytes; more is not MongoDB.
const MOST: usize = 1 << 20;

/// A BSON value, of the kinds that are needed.
enum Value<'a> {
    Int(i32),
    Text(&'a str),
}

fn encode(document: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in document {
        let (kind, bytes) = match value {
            Value::Text(text) => {
                let mut bytes = length(text.len() + 1).to_vec();
                bytes.extend(text.bytes().chain([0]));
                (0x02, bytes)
            }
            Value::Int(number) => (0x10, number.to_le_bytes().to_vec()),
        };
        body.push(kind);
        body.extend(key.bytes().chain([0]));
        body.extend(bytes);
    }
    let mut whole = length(body.len() + 5).to_vec();
    whole.extend(body);
    whole.push(0);
    whole
}

fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_le_bytes()
}

/// Sends one command and returns the answer's BSON.
fn command(port: u16, document: &[(&str, Value<'_>)]) -> Result<Vec<u8>> {
    let mut socket = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1))?;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let body = encode(document);
    let mut message = length(16 + 4 + 1 + body.len()).to_vec();
    for number in [1, 0, OP_MSG, 0] {
        message.extend(number.to_le_bytes());
    }
    message.push(0);
    message.extend(body);
    socket.write_all(&message)?;
    let mut size = [0; 4];
    socket.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_le_bytes(size))?;
    ensure!((21..MOST).contains(&size), "no MongoDB answer");
    let mut answer = vec![0; size - 4];
    socket.read_exact(&mut answer)?;
    Ok(answer.split_off(17))
}

fn contains(bson: &[u8], element: &[u8]) -> bool {
    bson.windows(element.len()).any(|window| window == element)
}

/// Whether the server takes writes.
pub(super) fn is_writable(port: u16) -> Result<bool> {
    let answer = command(port, &[("hello", Value::Int(1)), ("$db", Value::Text("admin"))])?;
    Ok(contains(&answer, b"\x08isWritablePrimary\0\x01"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bson_is_as_its_specification_shows() {
        // The first example of bsonspec.org.
        let expected = b"\x16\x00\x00\x00\x02hello\x00\x06\x00\x00\x00world\x00\x00";
        assert_eq!(encode(&[("hello", Value::Text("world"))]), expected);
    }

    #[test]
    fn a_number_is_four_bytes() {
        assert_eq!(encode(&[("a", Value::Int(1))]), b"\x0c\0\0\0\x10a\0\x01\0\0\0\0");
    }
}
