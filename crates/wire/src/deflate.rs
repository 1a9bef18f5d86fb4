//! A connection whose bytes come compressed (COMPRESS=DEFLATE, RFC 4978).
//!
//! What is read is inflated. What is written goes out in *stored* blocks (RFC 1951, section 3.2.4): our side says
//! short commands, a compressor would cost 300 KiB for each connection, and what is compressed together can be
//! guessed together (a draft and somebody else's words). The server's limits, its dripping and its silence are
//! judged by what comes out here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flate2::{Decompress, FlushDecompress, Status};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::link::Stream;

/// Compressed bytes read at a time.
const INPUT_BYTES: usize = 16 << 10;
/// Most bytes of a stored block.
const BLOCK_BYTES: usize = 0xffff;

pub(crate) struct Deflated {
    inner: Box<dyn Stream>,
    inflate: Decompress,
    input: Vec<u8>,
    /// How much of `input` is used up.
    used: usize,
    /// The last call filled all the room it had: more may come without further input.
    more: bool,
    ended: bool,
    /// A block on its way out, and how much of it is written.
    block: Vec<u8>,
    written: usize,
}

impl Deflated {
    /// Goes on with `inner`; `already` was read from it and is compressed.
    pub(crate) fn new(inner: Box<dyn Stream>, already: &[u8]) -> Self {
        Self {
            inner,
            inflate: Decompress::new(false),
            input: already.to_vec(),
            used: 0,
            more: false,
            ended: false,
            block: Vec::new(),
            written: 0,
        }
    }

    /// Inflates into `out` what is here. Says how many bytes came of it.
    fn inflate(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(&self.input[self.used..], out, FlushDecompress::None);
        let status = status.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
        self.used += count(self.inflate.total_in(), before.0);
        let got = count(self.inflate.total_out(), before.1);
        self.more = got == out.len();
        self.ended |= status == Status::StreamEnd;
        Ok(got)
    }

    fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.block.len() {
            let wrote = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.block[self.written..]))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += wrote;
        }
        self.block.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Deflated {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.ended && buf.remaining() > 0 {
            if this.used < this.input.len() || this.more {
                let got = this.inflate(buf.initialize_unfilled())?;
                if got > 0 {
                    buf.advance(got);
                    return Poll::Ready(Ok(()));
                }
                continue_if_used(this)?;
                continue;
            }
            this.input.resize(INPUT_BYTES, 0);
            let mut input = ReadBuf::new(&mut this.input);
            let read = Pin::new(&mut this.inner).poll_read(cx, &mut input);
            let got = input.filled().len();
            this.input.truncate(if read.is_ready() { got } else { 0 });
            this.used = 0;
            ready!(read)?;
            if got == 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Input of which nothing comes and nothing is taken would be looked at for ever.
fn continue_if_used(this: &Deflated) -> io::Result<()> {
    match this.used == this.input.len() || this.ended {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "compressed bytes that mean nothing")),
    }
}

impl AsyncWrite for Deflated {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_block(cx))?;
        let taken = bytes.len().min(BLOCK_BYTES);
        let length = taken as u16;
        this.block.push(0);
        this.block.extend_from_slice(&length.to_le_bytes());
        this.block.extend_from_slice(&(!length).to_le_bytes());
        this.block.extend_from_slice(&bytes[..taken]);
        // What does not go out now goes with the next write or flush.
        match this.poll_block(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(taken)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_block(cx))?;
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_block(cx))?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::read::DeflateDecoder;
    use flate2::write::DeflateEncoder;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    fn deflated(text: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.flush().unwrap();
        encoder.get_ref().clone()
    }

    /// Pieces as small as a network can make them.
    #[tokio::test]
    async fn what_comes_compressed_in_any_pieces_is_read_whole() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let packed = deflated(&text);
        for piece in [1, 7, 4096, packed.len()] {
            let (ours, mut theirs) = duplex(64 << 10);
            let (already, rest) = packed.split_at(piece.min(100));
            let mut stream = Deflated::new(Box::new(ours), already);
            let rest: Vec<Vec<u8>> = rest.chunks(piece).map(<[u8]>::to_vec).collect();
            let writer = tokio::spawn(async move {
                for piece in rest {
                    theirs.write_all(&piece).await.unwrap();
                }
                theirs
            });
            let mut got = vec![0; text.len()];
            stream.read_exact(&mut got).await.unwrap();
            assert!(got == text, "in pieces of {piece}");
            drop(writer.await.unwrap());
            assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn what_is_written_is_deflate_that_others_can_read() {
        let (ours, mut theirs) = duplex(1 << 20);
        let mut stream = Deflated::new(Box::new(ours), &[]);
        let text: Vec<u8> = (0..150_000).map(|n| (n % 251) as u8).collect();
        stream.write_all(&text).await.unwrap();
        stream.write_all(b"L1 NOOP\r\n").await.unwrap();
        stream.flush().await.unwrap();
        drop(stream);
        let mut packed = Vec::new();
        theirs.read_to_end(&mut packed).await.unwrap();
        let mut got = vec![0; text.len() + 9];
        io::Read::read_exact(&mut DeflateDecoder::new(packed.as_slice()), &mut got).unwrap();
        assert!(got.starts_with(&text) && got.ends_with(b"L1 NOOP\r\n"));
    }

    #[tokio::test]
    async fn garbage_is_an_error_and_no_endless_loop() {
        let (ours, _theirs) = duplex(100);
        let mut stream = Deflated::new(Box::new(ours), b"\xff\xff\xff\xff\xff\xff");
        assert!(stream.read(&mut [0; 100]).await.is_err());
    }
}
