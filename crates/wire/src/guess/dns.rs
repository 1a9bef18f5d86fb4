//! Asks the name service for SRV (RFC 2782) and MX (RFC 1035) records, which the operating system does not give.
//!
//! One question a packet, over UDP, and over TCP when the answer is too long for it (RFC 7766). The servers are
//! those of `/etc/resolv.conf`. Answers are not verified (DNSSEC), so what they name is shown to a person before
//! anything is sent there, and a server must prove its name by certificate.
//!
//! Decided against a resolver crate: of a cache, DNSSEC and nine transports nothing is needed here.

use ring::rand::{SecureRandom, SystemRandom};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

/// For one server's answer.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Servers that are asked, each twice.
const MAX_SERVERS: usize = 3;
/// Records of one answer that are read.
const MAX_RECORDS: usize = 64;
/// Jumps inside of one compressed name.
const MAX_JUMPS: usize = 32;
/// What fits into one packet of an answer.
const PACKET: usize = 4096;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mx = 15,
    Srv = 33,
}

/// A record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Lower is better.
    pub priority: u16,
    /// Of equal priority, higher is better; 0 for MX.
    pub weight: u16,
    /// 0 for MX.
    pub port: u16,
    /// The server's name, lower case, without a dot at its end; empty for "there is none".
    pub target: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DnsError {
    /// There is no such name.
    NoSuchName,
    /// Nobody answered, or nothing that could be understood.
    NoAnswer,
}

/// Servers to ask.
pub(super) fn servers() -> Vec<SocketAddr> {
    // Without the file there is nobody to ask, and the answer is the same.
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let address = |line: &str| {
        let rest = line.trim().strip_prefix("nameserver")?;
        rest.trim().split('%').next()?.parse::<IpAddr>().ok()
    };
    text.lines().filter_map(address).take(MAX_SERVERS).map(|ip| SocketAddr::new(ip, 53)).collect()
}

/// The records of a name, best first.
pub(super) async fn ask(servers: &[SocketAddr], name: &str, kind: Kind) -> Result<Vec<Record>, DnsError> {
    // Hard to guess, as the port it is asked from: else anybody could answer.
    let mut id = [0; 2];
    SystemRandom::new().fill(&mut id).map_err(|_| DnsError::NoAnswer)?;
    let id = u16::from_be_bytes(id);
    let question = question(name, kind, id).ok_or(DnsError::NoSuchName)?;
    for server in servers.iter().chain(servers) {
        let answer = timeout(PATIENCE, over_udp(*server, &question)).await;
        let parsed = match answer {
            Ok(Ok(packet)) => parse(&packet, kind, id),
            _ => continue,
        };
        let parsed = match parsed {
            Ok(None) => match timeout(PATIENCE, over_tcp(*server, &question)).await {
                Ok(Ok(packet)) => {
                    parse(&packet, kind, id).and_then(|records| records.ok_or(DnsError::NoAnswer))
                }
                _ => Err(DnsError::NoAnswer),
            },
            Ok(Some(records)) => Ok(records),
            Err(error) => Err(error),
        };
        match parsed {
            Err(DnsError::NoAnswer) => {}
            known => return known,
        }
    }
    Err(DnsError::NoAnswer)
}

async fn over_udp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let here: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    // Connected: packets of others are not heard.
    let socket = UdpSocket::bind(here).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut packet = vec![0; PACKET];
    let size = socket.recv(&mut packet).await?;
    packet.truncate(size);
    Ok(packet)
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let size = u16::try_from(question.len()).unwrap_or(u16::MAX);
    stream.write_all(&[&size.to_be_bytes()[..], question].concat()).await?;
    let size = stream.read_u16().await?;
    let mut packet = vec![0; usize::from(size)];
    stream.read_exact(&mut packet).await?;
    Ok(packet)
}

/// A packet with one question that wants recursion; None if the name cannot be asked for.
fn question(name: &str, kind: Kind, id: u16) -> Option<Vec<u8>> {
    let mut packet = id.to_be_bytes().to_vec();
    packet.extend([0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    if name.len() > 253 {
        return None;
    }
    for label in name.trim_end_matches('.').split('.') {
        let size = u8::try_from(label.len()).ok().filter(|size| (1..64).contains(size))?;
        packet.push(size);
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, kind as u8, 0, 1]);
    Some(packet)
}

/// The records of an answer to our question; None if it was cut and must be asked for over TCP.
fn parse(packet: &[u8], kind: Kind, id: u16) -> Result<Option<Vec<Record>>, DnsError> {
    let mut reader = Reader { packet, at: 0 };
    read(&mut reader, kind, id).unwrap_or(Err(DnsError::NoAnswer))
}

fn read(reader: &mut Reader<'_>, kind: Kind, id: u16) -> Option<Result<Option<Vec<Record>>, DnsError>> {
    let (answered, flags) = (reader.number()?, reader.number()?);
    let (questions, answers) = (reader.number()?, reader.number()?);
    reader.at = 12;
    if answered != id || flags & 0x8000 == 0 || questions != 1 {
        return Some(Err(DnsError::NoAnswer));
    }
    match flags & 0x000f {
        0 => {}
        3 => return Some(Err(DnsError::NoSuchName)),
        _ => return Some(Err(DnsError::NoAnswer)),
    }
    if flags & 0x0200 != 0 {
        return Some(Ok(None));
    }
    reader.name()?;
    reader.at += 4;
    let mut records = Vec::new();
    for _ in 0..usize::from(answers).min(MAX_RECORDS) {
        reader.name()?;
        let (found, class) = (reader.number()?, reader.number()?);
        reader.at += 4;
        let size = usize::from(reader.number()?);
        let end = reader.at.checked_add(size).filter(|end| *end <= reader.packet.len())?;
        if found == kind as u16 && class == 1 {
            records.push(reader.record(kind)?);
        }
        reader.at = end;
    }
    records.sort_by_key(|record| (record.priority, u16::MAX - record.weight));
    Some(Ok(Some(records)))
}

struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn number(&mut self) -> Option<u16> {
        let bytes = self.packet.get(self.at..self.at.checked_add(2)?)?;
        self.at += 2;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn record(&mut self, kind: Kind) -> Option<Record> {
        let priority = self.number()?;
        let (weight, port) = match kind {
            Kind::Srv => (self.number()?, self.number()?),
            Kind::Mx => (0, 0),
        };
        Some(Record { priority, weight, port, target: self.name()? })
    }

    /// A name, whose labels may continue elsewhere in the packet (RFC 1035 section 4.1.4).
    fn name(&mut self) -> Option<String> {
        let (mut name, mut at, mut behind) = (String::new(), self.at, None);
        for _ in 0..MAX_JUMPS + 128 {
            let size = usize::from(*self.packet.get(at)?);
            match size {
                0 => {
                    self.at = behind.unwrap_or(at + 1);
                    return Some(name);
                }
                64.. => {
                    let low = usize::from(*self.packet.get(at + 1)?);
                    behind.get_or_insert(at + 2);
                    let to = ((size & 0x3f) << 8) | low;
                    // Only backwards: no circle.
                    at = Some(to).filter(|to| size >= 0xc0 && *to < at)?;
                }
                _ => {
                    let label = self.packet.get(at + 1..at + 1 + size)?;
                    let sound = label.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b));
                    let label = std::str::from_utf8(label).ok().filter(|_| sound && name.len() < 254)?;
                    let dot = if name.is_empty() { "" } else { "." };
                    write!(name, "{dot}{}", label.to_ascii_lowercase()).ok()?;
                    at += 1 + size;
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer to `_imaps._tcp.acme.example` with a compressed owner and two records, the worse one first.
    fn answer() -> Vec<u8> {
        let mut packet = question("_imaps._tcp.acme.example", Kind::Srv, 7).unwrap();
        packet[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2]);
        for (priority, host) in [(20u8, "b"), (10, "mail")] {
            packet.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
            // Behind the two labels of the service: acme.example.
            let target = [&[host.len() as u8][..], host.as_bytes(), &[0xc0, 24]].concat();
            packet.extend([0, (6 + target.len()) as u8, 0, priority, 0, 1, 0x03, 0xe1]);
            packet.extend(target);
        }
        packet
    }

    #[test]
    fn a20_an_answer_is_read_best_record_first() {
        let records = parse(&answer(), Kind::Srv, 7).unwrap().unwrap();
        let found: Vec<_> = records.iter().map(|r| (r.priority, r.port, r.target.as_str())).collect();
        assert_eq!(found, [(10, 993, "mail.acme.example"), (20, 993, "b.acme.example")]);
    }

    #[test]
    fn a20_answers_to_others_refusals_and_cut_ones_are_told_apart() {
        assert_eq!(parse(&answer(), Kind::Srv, 8), Err(DnsError::NoAnswer));
        let flags = |a, b| {
            let mut packet = answer();
            (packet[2], packet[3]) = (a, b);
            parse(&packet, Kind::Srv, 7)
        };
        assert_eq!(flags(0x81, 0x83), Err(DnsError::NoSuchName));
        assert_eq!(flags(0x81, 0x82), Err(DnsError::NoAnswer));
        assert_eq!(flags(0x83, 0x80), Ok(None));
        assert_eq!(flags(0x01, 0x00), Err(DnsError::NoAnswer));
        assert_eq!(question("a..b", Kind::Mx, 1), None);
        assert_eq!(question(&"x".repeat(64), Kind::Mx, 1), None);
    }

    proptest! {
        #[test]
        fn t_any_packet_ends_without_harm(mut packet in proptest::collection::vec(any::<u8>(), 0..200), damage in any::<[u8; 4]>()) {
            let _ = parse(&packet, Kind::Srv, 7);
            packet = answer();
            let at = usize::from(damage[0]) % packet.len();
            packet[at] = damage[1];
            let cut = usize::from(damage[2]) % packet.len();
            let _ = parse(&packet[..cut], Kind::Srv, 7);
            let _ = parse(&packet, Kind::Mx, 7);
        }
    }
}
