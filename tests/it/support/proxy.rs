//! [`Proxy`]: a way to the server that breaks off as often as the test wants.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Hands connections on to a server, wherever it is at the moment, and cuts the first ones after some bytes of theirs.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: Mutex<SocketAddr>,
    /// After how many bytes from the client each of the next long connections is cut.
    cuts: Mutex<Vec<u64>>,
    /// How many bytes of an answer come through before no more do.
    stall_after: Option<u64>,
}

impl Proxy {
    /// A way to `server` on which connections are cut after these numbers of bytes from their clients, one after the
    /// other. Connections that bring less are left alone.
    pub(crate) fn to(server: SocketAddr, mut cuts: Vec<u64>) -> Self {
        cuts.reverse();
        Self::new(server, cuts, None)
    }

    /// A way to `server` on which answers stop after so many bytes, while the connections stay.
    pub(crate) fn stalling(server: SocketAddr, after_bytes: u64) -> Self {
        Self::new(server, Vec::new(), Some(after_bytes))
    }

    fn new(server: SocketAddr, cuts: Vec<u64>, stall_after: Option<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it has an address");
        let shared = Arc::new(Shared { server: Mutex::new(server), cuts: Mutex::new(cuts), stall_after });
        let for_all = Arc::clone(&shared);
        // It ends with the test's process; nothing is left of it.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&for_all);
                std::thread::spawn(move || shared.hand_on(client));
            }
        });
        Self { address, shared }
    }

    /// Where it is, as in `http://127.0.0.1:40000`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Says that the server has moved.
    pub(crate) fn moved_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap() = server;
    }

    /// How many cuts are still to come.
    pub(crate) fn cuts_left(&self) -> usize {
        self.shared.cuts.lock().unwrap().len()
    }
}

impl Shared {
    fn hand_on(&self, mut client: TcpStream) {
        let address = *self.server.lock().unwrap();
        let Ok(mut server) = TcpStream::connect(address) else { return };
        let (Ok(mut answers), Ok(mut to_client)) = (server.try_clone(), client.try_clone()) else { return };
        let stall_after = self.stall_after;
        let back = std::thread::spawn(move || {
            if let Some(bytes) = stall_after {
                let _ = std::io::copy(&mut (&answers).take(bytes), &mut to_client);
                // Until the client gives up.
                let _ = std::io::copy(&mut to_client, &mut std::io::sink());
                return;
            }
            let _ = std::io::copy(&mut answers, &mut to_client);
            let _ = to_client.shutdown(Shutdown::Both);
        });
        let mut sent = 0;
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = client.read(&mut buffer) {
            if count == 0 || server.write_all(&buffer[..count]).is_err() {
                break;
            }
            sent += count as u64;
            let mut cuts = self.cuts.lock().unwrap();
            if cuts.last().is_some_and(|cut| sent >= *cut) {
                cuts.pop();
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
        let _ = client.shutdown(Shutdown::Both);
        let _ = back.join();
    }
}
