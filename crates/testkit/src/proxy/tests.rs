use super::*;

/// A server that says three lines and then what it hears.
async fn echo() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"one\r\ntwo\r\nthree\r\n").await.unwrap();
            let (mut from, mut to) = stream.split();
            // The client going away ends it.
            drop(tokio::io::copy(&mut from, &mut to).await);
        }
    });
    (port, task)
}

/// What a client hears that says `four` after the three lines; with the error that ended it.
async fn heard(broken: Option<Break>) -> (String, Option<io::ErrorKind>) {
    let (port, server) = echo().await;
    let proxy = Proxy::start(port, vec![broken]).await.unwrap();
    let mut client = TcpStream::connect(proxy.address).await.unwrap();
    let mut heard = Vec::new();
    let (mut said, mut error) = (false, None);
    loop {
        let mut chunk = [0; 100];
        match tokio::time::timeout(Duration::from_secs(3), client.read(&mut chunk)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(read)) => heard.extend_from_slice(&chunk[..read]),
            Ok(Err(failed)) => {
                error = Some(failed.kind());
                break;
            }
            Err(_) => {
                error = Some(io::ErrorKind::TimedOut);
                break;
            }
        }
        if !said && heard.ends_with(b"three\r\n") {
            said = client.write_all(b"four\r\n").await.is_ok();
        }
    }
    server.abort();
    assert_eq!(proxy.has_struck(), broken.is_some());
    (String::from_utf8_lossy(&heard).into_owned(), error)
}

#[tokio::test]
async fn each_break_is_what_it_says_and_where_it_says() {
    use At::{After, Before, Byte, Line};
    use Toward::{Client, Server};
    const SILENCE: Option<io::ErrorKind> = Some(io::ErrorKind::TimedOut);
    let all = "one\r\ntwo\r\nthree\r\nfour\r\n";
    let pause = Duration::from_millis(5);
    let cases = [
        (None, all, SILENCE),
        (Some(Break::Fin(Client, Byte(6))), "one\r\nt", None),
        (Some(Break::Fin(Client, Line(2))), "one\r\ntwo\r\n", None),
        (Some(Break::Fin(Client, Before("two"))), "one\r\n", None),
        (Some(Break::Fin(Client, After("two"))), "one\r\ntwo\r\n", None),
        (Some(Break::Fin(Server, Before("four"))), "one\r\ntwo\r\nthree\r\n", None),
        (Some(Break::Stall(Client, Byte(5))), "one\r\n", SILENCE),
        (Some(Break::Drip(Client, Byte(3), pause)), all, SILENCE),
        (Some(Break::Garble(Client, Byte(5), 0x20)), "one\r\nTwo\r\nthree\r\nfour\r\n", SILENCE),
        (Some(Break::Garble(Server, Byte(0), 0x20)), "one\r\ntwo\r\nthree\r\nFour\r\n", SILENCE),
        (Some(Break::Repeat(Client, After("two"))), "one\r\ntwo\r\ntwo\r\nthree\r\nfour\r\n", SILENCE),
        (Some(Break::Delay(Client, Line(1), pause)), all, SILENCE),
    ];
    // Side by side, because each waits until nothing more comes.
    let runs = cases.map(|(broken, text, error)| (tokio::spawn(heard(broken)), broken, text, error));
    for (run, broken, text, error) in runs {
        assert_eq!(run.await.unwrap(), (text.to_owned(), error), "{broken:?}");
    }
    let (_, error) = heard(Some(Break::Reset(Client, Byte(6)))).await;
    assert_eq!(error, Some(io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn what_went_over_the_wire_is_noted() {
    let (port, server) = echo().await;
    let proxy = Proxy::start(port, Vec::new()).await.unwrap();
    let mut client = TcpStream::connect(proxy.address).await.unwrap();
    client.write_all(b"four\r\n").await.unwrap();
    let mut all = [0; 23];
    client.read_exact(&mut all).await.unwrap();
    server.abort();
    let conversation = proxy.conversation(0);
    assert_eq!(
        (conversation.to_client.as_slice(), conversation.to_server.as_slice()),
        (&all[..], &b"four\r\n"[..])
    );
    assert!(!proxy.has_struck());
}
