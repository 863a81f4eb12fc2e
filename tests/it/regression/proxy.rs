//! Commands behind a proxy, as offices have them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::{Cli, TestServer};

/// A proxy that notes the heads of the requests it is sent and forwards them.
struct Proxy {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads) = (listener.local_addr().unwrap().to_string(), Arc::<Mutex<Vec<String>>>::default());
        let noted = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || drop(forward(stream, &noted)));
            }
        });
        Self { address, heads }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.heads.lock().unwrap())
    }
}

fn forward(client: TcpStream, noted: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (mut reader, mut to_client) = (BufReader::new(client.try_clone()?), client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    noted.lock().unwrap().push(head.clone());
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let authority = target.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
    let mut server = TcpStream::connect(&authority)?;
    if head.starts_with("CONNECT ") {
        to_client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    } else {
        let path = &target[format!("http://{authority}").len()..];
        // One request for each connection, so that every one is seen.
        let plain = head.replacen(&target, path, 1).replacen("\r\n", "\r\nconnection: close\r\n", 1);
        server.write_all(plain.as_bytes())?;
    }
    let mut to_server = server.try_clone()?;
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            if to_server.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
    });
    std::io::copy(&mut server, &mut to_client)?;
    to_client.shutdown(std::net::Shutdown::Both)
}

/// Commands spoke to servers directly, whatever the environment said, and failed where only a proxy leads outside.
#[test]
fn commands_go_by_the_proxy_that_the_environment_names() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a", "bytes");
    let (proxy, folder) = (Proxy::start(), tempfile::tempdir().unwrap());
    let sync = |origin: &str, settings: &[(&str, &str)], flags: &[&str], name: &str| {
        let dir = folder.path().join(name);
        let mut cli = Cli::new(&["sync", origin, dir.to_str().unwrap(), "--json"]).and(flags);
        for (name, value) in settings {
            cli = cli.env(name, value);
        }
        cli
    };
    let named = format!("http://us%40er:pass@{}", proxy.address);
    let report = sync(&server.origin(), &[("HTTP_PROXY", &named)], &[], "http").exits(0).json();
    assert_eq!(report["added"], serde_json::json!(["omni.kit"]));
    let heads = proxy.take();
    assert!(heads.len() >= 3, "{heads:?}");
    for head in heads {
        assert!(head.starts_with(&format!("GET {}/v2/", server.origin())), "{head}");
        // `us@er:pass`
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnazxi6cgfzcw=="), "{head}");
    }
    // Where it is said, and for addresses of the other kind, the proxy is left out.
    let host = server.origin().replace("http://", "");
    for settings in [
        &[("http_proxy", proxy.address.as_str()), ("no_proxy", host.as_str())][..],
        &[("http_proxy", &proxy.address), ("NO_PROXY", "127.0.0.0/8")],
        &[("HTTPS_PROXY", &proxy.address)],
    ] {
        sync(&server.origin(), settings, &[], "direct").exits(0);
        assert_eq!(proxy.take(), [""; 0]);
    }
    let refused = sync(&server.origin(), &[("http_proxy", "socks5://h")], &[], "wrong").exits(1);
    assert!(refused.err.contains("http_proxy is no address of a proxy"), "{refused}");
    let refused = sync(&server.origin(), &[("http_proxy", "127.0.0.1:1")], &[], "gone").exits(1);
    assert!(refused.err.contains("by the proxy 127.0.0.1:1"), "{refused}");

    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let [cert, key] = [cert, key].map(|path| path.to_str().unwrap().to_owned());
    let secure = TestServer::with().flags(&["--tls-cert", &cert, "--tls-key", &key]).start();
    sync(&secure.origin(), &[("https_proxy", &named)], &["--ca-file", &cert], "https").exits(0);
    let heads = proxy.take();
    let host = secure.origin().replace("https://", "");
    assert!(!heads.is_empty() && heads.iter().all(|head| head.starts_with(&format!("CONNECT {host} "))), "{heads:?}");
    let tunnel = heads[0].to_ascii_lowercase();
    assert!(tunnel.contains("proxy-authorization: basic dxnazxi6cgfzcw=="), "{tunnel}");
}
