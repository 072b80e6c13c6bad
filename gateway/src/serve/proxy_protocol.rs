//! Version 2 of the PROXY protocol, with which a load balancer that does not speak HTTP passes on the client's address. See
//! section 2.2 of the specification by HAProxy.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// First bytes of a header.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Maximum length of the addresses and extensions that follow the fixed part, in bytes. The specification recommends to
/// accept at least 520.
const MAX_LENGTH: usize = 2048;

/// Reads the header at the beginning of a connection. Returns the client's address, or `None` if the load balancer itself
/// has connected, for example to check the health.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let invalid = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what));
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let [.., command, family, high, low] = head;
    if head[..12] != SIGNATURE {
        return invalid("not a PROXY header of version 2");
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_LENGTH {
        return invalid("the PROXY header is too long");
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (command, family >> 4) {
        // LOCAL: the connection is not made for a client.
        (0x20, _) => Ok(None),
        (0x21, 1) => address::<4>(&rest, |bytes| Ipv4Addr::from(bytes).into()),
        (0x21, 2) => address::<16>(&rest, |bytes| Ipv6Addr::from(bytes).into()),
        (0x21, _) => invalid("the PROXY header has an unsupported address family"),
        _ => invalid("the PROXY header has an unsupported version or command"),
    }
}

/// The source address: two addresses of `N` bytes, then two ports; extensions may follow.
fn address<const N: usize>(bytes: &[u8], ip: fn([u8; N]) -> IpAddr) -> io::Result<Option<SocketAddr>> {
    let source = bytes.first_chunk::<N>().copied();
    let port = bytes.get(2 * N..2 * N + 2).and_then(|port| port.try_into().ok());
    match (source, port) {
        (Some(source), Some(port)) => Ok(Some(SocketAddr::new(ip(source), u16::from_be_bytes(port)))),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the PROXY header is too short",
        )),
    }
}

/// The header for a connection of `client`, which has connected to `local`.
pub(super) fn header(client: SocketAddr, local: Option<SocketAddr>) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    let Some(local) = local else {
        // LOCAL, without addresses.
        header.extend([0x20, 0, 0, 0]);
        return header;
    };
    match (client.ip().to_canonical(), local.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            header.extend([0x21, 0x11, 0, 12]);
            header.extend(from.octets());
            header.extend(to.octets());
        }
        (from, to) => {
            let v6 = |address: IpAddr| match address {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            };
            header.extend([0x21, 0x21, 0, 36]);
            header.extend(v6(from).octets());
            header.extend(v6(to).octets());
        }
    }
    header.extend(client.port().to_be_bytes());
    header.extend(local.port().to_be_bytes());
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(command: u8, family: u8, rest: &[u8]) -> io::Result<Option<SocketAddr>> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        let bytes = [&SIGNATURE[..], &[command, family], &length, rest].concat();
        read(&mut &bytes[..]).await
    }

    #[tokio::test]
    async fn the_address_of_the_client_is_read() {
        let v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0x30, 0x39, 0, 80, 4, 0, 1, 0];
        assert_eq!(
            parsed(0x21, 0x11, &v4).await.unwrap(),
            Some("192.0.2.7:12345".parse().unwrap())
        );
        let source = "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets();
        let v6 = [&source[..], &[0; 16], &[0x30, 0x39, 0, 80]].concat();
        assert_eq!(
            parsed(0x21, 0x21, &v6).await.unwrap(),
            Some("[2001:db8::7]:12345".parse().unwrap())
        );
        assert_eq!(parsed(0x20, 0, &[]).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_header_that_was_written_is_read() {
        for (client, local) in [
            ("192.0.2.7:12345", "10.0.0.1:80"),
            ("[2001:db8::7]:12345", "[2001:db8::1]:443"),
            ("[2001:db8::7]:12345", "10.0.0.1:80"),
        ] {
            let (client, local): (SocketAddr, SocketAddr) = (client.parse().unwrap(), local.parse().unwrap());
            let written = header(client, Some(local));
            assert_eq!(read(&mut &written[..]).await.unwrap(), Some(client));
        }
        let unknown = header("192.0.2.7:12345".parse().unwrap(), None);
        assert_eq!(read(&mut &unknown[..]).await.unwrap(), None);
    }

    #[tokio::test]
    async fn invalid_headers_are_rejected() {
        assert!(parsed(0x21, 0x11, &[192, 0, 2, 7]).await.is_err(), "too short");
        assert!(parsed(0x21, 0x31, &[0; 216]).await.is_err(), "a Unix socket");
        assert!(parsed(0x11, 0x11, &[0; 12]).await.is_err(), "version 1");
        assert!(parsed(0x21, 0x11, &[0; 4000]).await.is_err(), "too long");
        assert!(
            read(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).await.is_err(),
            "no header"
        );
        assert!(read(&mut &SIGNATURE[..]).await.is_err(), "incomplete");
    }
}
