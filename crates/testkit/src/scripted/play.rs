//! A server that says fixed things, whatever the protocol.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// One step of a play.
#[derive(Debug, Clone)]
pub enum Step {
    /// Says this. `{tag}` stands for the first word of the last line heard.
    Say(String),
    /// Says these bytes as they are.
    Bytes(Vec<u8>),
    /// Waits for a line of the client that contains this.
    Hear(&'static str),
    /// Says these bytes again and again until the client goes away.
    SayForever(Vec<u8>),
    /// Says these bytes again and again, one after each wait, until the client goes away.
    Drip(Vec<u8>, Duration),
    /// Is silent until the client goes away.
    Hang,
}

/// A server that plays its steps to every client and then closes. Dropping it closes its port.
#[derive(Debug)]
pub struct Play {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Play {
    /// Starts.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(steps: Vec<Step>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let steps = steps.clone();
                connections.spawn(async move {
                    // The client going away ends the play.
                    perform(stream, steps).await.ok();
                });
            }
        });
        Ok(Self { address, task })
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn perform(stream: TcpStream, steps: Vec<Step>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    let mut tag = String::new();
    for step in steps {
        match step {
            Step::Say(text) => output.write_all(text.replace("{tag}", &tag).as_bytes()).await?,
            Step::Bytes(bytes) => output.write_all(&bytes).await?,
            Step::Hear(wanted) => loop {
                let mut line = String::new();
                if input.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                line.split(' ').next().unwrap_or_default().trim_end().clone_into(&mut tag);
                if line.contains(wanted) {
                    break;
                }
            },
            Step::SayForever(bytes) => loop {
                output.write_all(&bytes).await?;
            },
            Step::Drip(bytes, wait) => {
                for byte in bytes.iter().cycle() {
                    output.write_all(&[*byte]).await?;
                    tokio::time::sleep(wait).await;
                }
            }
            Step::Hang => {
                let mut rest = Vec::new();
                input.read_to_end(&mut rest).await?;
            }
        }
    }
    output.shutdown().await?;
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), input.read_to_end(&mut rest)).await.ok();
    Ok(())
}
