//! What a task must not reach: a made-up home, layers, other recipes' work
//! trees, a process and servers on the host. One for every trial.

use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The text of every secret.
pub const SECRET: &str = "bitzel-test-secret";

/// Where things are; given to attempts as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Map {
    pub top: PathBuf,
    pub victim: i32,
    pub tcp4: u16,
    pub tcp6: Option<u16>,
    pub udp: u16,
    pub abstract_name: String,
    pub keyring_key: Option<i32>,
    pub shared_memory: i32,
    pub uid: u32,
}

impl Map {
    /// The task's own work tree.
    pub fn work(&self) -> PathBuf {
        self.top.join("tmp/work/own")
    }
    pub fn layer(&self) -> PathBuf {
        self.top.join("layer")
    }
    pub fn home(&self) -> PathBuf {
        self.top.join("home")
    }
    pub fn other(&self) -> PathBuf {
        self.top.join("tmp/work/other")
    }
    pub fn downloads(&self) -> PathBuf {
        self.top.join("downloads")
    }
    /// A program of the layer, for attempts that change what they can read.
    pub fn recipe(&self) -> PathBuf {
        self.layer().join("recipe.bb")
    }
    pub fn socket(&self) -> PathBuf {
        self.top.join("run/service.sock")
    }
}

/// The host around the task. Dropping it ends the victim.
pub struct World {
    pub map: Map,
    victim: Child,
}

impl Drop for World {
    fn drop(&mut self) {
        self.victim.kill().ok();
        self.victim.wait().ok();
        unsafe { libc::shmctl(self.map.shared_memory, libc::IPC_RMID, std::ptr::null_mut()) };
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

impl World {
    pub fn new(top: PathBuf) -> World {
        for dir in ["tmp/work/own", "tmp/stamps", "downloads", "tmp/sysroots/other", "run"] {
            std::fs::create_dir_all(top.join(dir)).unwrap();
        }
        let top = top.canonicalize().unwrap();
        for file in [
            "home/.ssh/id_ed25519",
            "home/.netrc",
            "tmp/work/other/source.c",
            "tmp/sysroots/other/lib.so",
            "downloads/a.tar",
            "layer/recipe.bb",
            "layer/.git/config",
        ] {
            write(&top.join(file), SECRET);
        }
        std::fs::set_permissions(top.join("layer/recipe.bb"), PermissionsExt::from_mode(0o644)).unwrap();
        let victim = Command::new("sleep")
            .arg("60")
            .env("VICTIM_TOKEN", SECRET)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let map = Map {
            victim: victim.id() as i32,
            tcp4: serve_tcp("127.0.0.1:0").unwrap(),
            tcp6: serve_tcp("[::1]:0"),
            udp: serve_udp(),
            abstract_name: serve_unix(&top.join("run/service.sock")),
            keyring_key: add_key(),
            shared_memory: shared_memory(),
            uid: unsafe { libc::geteuid() },
            top,
        };
        World { map, victim }
    }

    /// Whether the victim and all files are as they were.
    pub fn damage(&mut self) -> Option<String> {
        if let Ok(Some(status)) = self.victim.try_wait() {
            return Some(format!("the victim process ended: {status}"));
        }
        if unsafe { libc::getpriority(libc::PRIO_PROCESS, self.victim.id()) } != 0 {
            return Some("the victim process was reniced".to_owned());
        }
        let layer = self.map.layer();
        let files: Vec<String> =
            ["layer", "home/.ssh", "downloads", "tmp/work/other", "tmp/sysroots/other", "run"]
                .iter()
                .flat_map(|dir| std::fs::read_dir(self.map.top.join(dir)).unwrap())
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
        let want = ["recipe.bb", ".git", "id_ed25519", "a.tar", "source.c", "lib.so", "service.sock"];
        if files.len() != want.len() || !want.iter().all(|name| files.iter().any(|file| file == name)) {
            return Some(format!("files came or went: {files:?}"));
        }
        let recipe = layer.join("recipe.bb");
        let mode = recipe.metadata().unwrap().permissions().mode() & 0o7777;
        let text = std::fs::read_to_string(&recipe).unwrap();
        (mode != 0o644 || text != SECRET).then(|| format!("recipe.bb was changed: {mode:o} {text:?}"))
    }
}

/// A server that tells its secret to whoever connects.
fn serve_tcp(address: &str) -> Option<u16> {
    let listener = TcpListener::bind(address).ok()?;
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.write_all(SECRET.as_bytes()).ok();
        }
    });
    Some(port)
}

/// A server that answers any datagram, as a name server would.
fn serve_udp() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0u8; 512];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            socket.send_to(SECRET.as_bytes(), from).ok();
        }
    });
    port
}

/// The same on a socket file and under an abstract name, which is returned.
fn serve_unix(path: &Path) -> String {
    let world = path.ancestors().nth(2).unwrap().file_name().unwrap();
    let name = format!("bitzel-escape-{}-{}", std::process::id(), world.display());
    let by_name = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    for listener in [UnixListener::bind(path).unwrap(), by_name] {
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                stream.write_all(SECRET.as_bytes()).ok();
            }
        });
    }
    name
}

/// A key in the user's key ring.
fn add_key() -> Option<i32> {
    const USER_KEYRING: i64 = -4;
    let payload = SECRET.as_bytes();
    let key = unsafe {
        libc::syscall(
            libc::SYS_add_key,
            c"user".as_ptr(),
            c"bitzel-escape".as_ptr(),
            payload.as_ptr(),
            payload.len(),
            USER_KEYRING,
        )
    };
    (key > 0).then_some(key as i32)
}

/// A System V shared memory segment that anybody may read.
fn shared_memory() -> i32 {
    unsafe {
        let id = libc::shmget(libc::IPC_PRIVATE, 4096, libc::IPC_CREAT | 0o666);
        let memory = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        std::ptr::copy_nonoverlapping(SECRET.as_ptr(), memory, SECRET.len());
        id
    }
}

/// All of a stream, as text.
pub fn read_all(mut stream: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
