//! What programs in Rust do, through std; then each function of preview 1 that std does not reach,
//! imported as it is. Expects what calls.c does.
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[repr(C)]
struct Iovec {
    buf: *mut u8,
    len: usize,
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
extern "C" {
    fn args_get(list: *mut u32, text: *mut u8) -> i32;
    fn args_sizes_get(count: *mut u32, bytes: *mut u32) -> i32;
    fn clock_res_get(id: i32, ret: *mut u64) -> i32;
    fn clock_time_get(id: i32, precision: i64, ret: *mut u64) -> i32;
    fn environ_get(list: *mut u32, text: *mut u8) -> i32;
    fn environ_sizes_get(count: *mut u32, bytes: *mut u32) -> i32;
    fn fd_advise(fd: i32, offset: i64, length: i64, advice: i32) -> i32;
    fn fd_allocate(fd: i32, offset: i64, length: i64) -> i32;
    fn fd_close(fd: i32) -> i32;
    fn fd_datasync(fd: i32) -> i32;
    fn fd_fdstat_get(fd: i32, ret: *mut u64) -> i32;
    fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
    fn fd_fdstat_set_rights(fd: i32, base: i64, inheriting: i64) -> i32;
    fn fd_filestat_get(fd: i32, ret: *mut u64) -> i32;
    fn fd_filestat_set_size(fd: i32, size: i64) -> i32;
    fn fd_filestat_set_times(fd: i32, atim: i64, mtim: i64, flags: i32) -> i32;
    fn fd_pread(fd: i32, list: *const Iovec, count: i32, offset: i64, ret: *mut u32) -> i32;
    fn fd_prestat_dir_name(fd: i32, path: *mut u8, length: i32) -> i32;
    fn fd_prestat_get(fd: i32, ret: *mut u32) -> i32;
    fn fd_pwrite(fd: i32, list: *const Iovec, count: i32, offset: i64, ret: *mut u32) -> i32;
    fn fd_read(fd: i32, list: *const Iovec, count: i32, ret: *mut u32) -> i32;
    fn fd_readdir(fd: i32, buf: *mut u8, size: i32, cookie: i64, ret: *mut u32) -> i32;
    fn fd_renumber(from: i32, to: i32) -> i32;
    fn fd_seek(fd: i32, delta: i64, whence: i32, ret: *mut u64) -> i32;
    fn fd_sync(fd: i32) -> i32;
    fn fd_tell(fd: i32, ret: *mut u64) -> i32;
    fn fd_write(fd: i32, list: *const Iovec, count: i32, ret: *mut u32) -> i32;
    fn path_create_directory(fd: i32, path: *const u8, length: usize) -> i32;
    fn path_filestat_get(fd: i32, flags: i32, path: *const u8, length: usize, ret: *mut u64)
        -> i32;
    fn path_filestat_set_times(
        fd: i32, flags: i32, path: *const u8, length: usize, atim: i64, mtim: i64, which: i32,
    ) -> i32;
    fn path_link(
        fd: i32, flags: i32, path: *const u8, length: usize, to: i32, name: *const u8, size: usize,
    ) -> i32;
    fn path_open(
        fd: i32, lookup: i32, path: *const u8, length: usize, oflags: i32, base: i64,
        inheriting: i64, flags: i32, ret: *mut u32,
    ) -> i32;
    fn path_readlink(
        fd: i32, path: *const u8, length: usize, buf: *mut u8, size: usize, ret: *mut u32,
    ) -> i32;
    fn path_remove_directory(fd: i32, path: *const u8, length: usize) -> i32;
    fn path_rename(
        fd: i32, path: *const u8, length: usize, to: i32, name: *const u8, size: usize,
    ) -> i32;
    fn path_symlink(
        target: *const u8, target_length: usize, fd: i32, path: *const u8, length: usize,
    ) -> i32;
    fn path_unlink_file(fd: i32, path: *const u8, length: usize) -> i32;
    fn poll_oneoff(list: *const u64, events: *mut u64, count: i32, ret: *mut u32) -> i32;
    fn proc_exit(code: i32) -> !;
    fn proc_raise(signal: i32) -> i32;
    fn random_get(buf: *mut u8, size: usize) -> i32;
    fn sched_yield() -> i32;
    fn sock_accept(fd: i32, flags: i32, ret: *mut u32) -> i32;
    fn sock_recv(
        fd: i32, list: *const Iovec, count: i32, flags: i32, ret: *mut u32, out: *mut u16,
    ) -> i32;
    fn sock_send(fd: i32, list: *const Iovec, count: i32, flags: i32, ret: *mut u32) -> i32;
    fn sock_shutdown(fd: i32, how: i32) -> i32;
}

fn with_std() -> io::Result<()> {
    println!("argument: {:?}", std::env::args().nth(1));
    println!("KEY: {:?}, HOME: {:?}", std::env::var("KEY"), std::env::var("HOME").is_ok());
    println!("read: {}", fs::read_to_string("/host.txt")?);
    let mut file = OpenOptions::new().read(true).write(true).create(true).open("/made.txt")?;
    file.write_all(b"twelve bytes")?;
    file.sync_all()?;
    file.sync_data()?;
    println!("seek: {}", file.seek(SeekFrom::End(-5))?);
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    println!("rest: {}", text);
    file.set_len(6)?;
    println!("length: {}", file.metadata()?.len());
    drop(file);
    OpenOptions::new().append(true).open("/made.txt")?.write_all(b"+more")?;
    println!("appended: {}", fs::read_to_string("/made.txt")?);
    fs::create_dir_all("/a/b/c")?;
    fs::rename("/made.txt", "/a/b/moved")?;
    fs::hard_link("/a/b/moved", "/a/hard")?;
    println!("copy: {}", fs::copy("/a/hard", "/a/copy")?);
    let mut names: Vec<_> =
        fs::read_dir("/a")?.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    println!("names: {:?}", names);
    println!("is_dir: {}", fs::metadata("/a/b")?.is_dir());
    println!("missing: {:?}", fs::metadata("/none").unwrap_err().kind());
    println!("not empty: {}", fs::remove_dir("/a").is_err());
    fs::remove_dir_all("/a")?;
    println!("gone: {}", File::open("/a/hard").is_err());
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(10));
    println!("slept: {}", start.elapsed() >= Duration::from_millis(10));
    println!("now: {}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() > 1577836800);
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    println!("stdin: {:?}", line);
    eprintln!("to stderr");
    Ok(())
}

fn iovec(bytes: &mut [u8]) -> Iovec {
    Iovec { buf: bytes.as_mut_ptr(), len: bytes.len() }
}

unsafe fn open(path: &str, oflags: i32) -> i32 {
    let mut fd = 0;
    let rights = 0x0fff_ffff;
    let e = path_open(3, 0, path.as_ptr(), path.len(), oflags, rights, rights, 0, &mut fd);
    println!("path_open {}: {}", path, e);
    fd as i32
}

unsafe fn calls_on_descriptors() {
    let (mut n, mut at) = (0u32, 0u64);
    let mut bytes = *b"0123456789";
    let mut stat = [0u64; 8];
    let fd = open("raw", 1);
    println!("fd_write: {} {}", fd_write(fd, &iovec(&mut bytes), 1, &mut n), n);
    println!("fd_pwrite: {}", fd_pwrite(fd, &iovec(&mut bytes[..3]), 1, 8, &mut n));
    println!("fd_tell: {} {}", fd_tell(fd, &mut at), at);
    println!("fd_seek: {} {}", fd_seek(fd, -3, 1, &mut at), at);
    println!("fd_read: {}", fd_read(fd, &iovec(&mut bytes[..2]), 1, &mut n));
    println!("fd_pread: {}", fd_pread(fd, &iovec(&mut bytes[..4]), 1, 7, &mut n));
    println!("  {}", String::from_utf8_lossy(&bytes));
    println!("fd_advise: {}", fd_advise(fd, 0, 0, 3));
    println!("fd_allocate: {}", fd_allocate(fd, 0, 64));
    println!("fd_sync: {} {}", fd_sync(fd), fd_datasync(fd));
    println!("fd_filestat_set_size: {}", fd_filestat_set_size(fd, 5));
    println!("fd_filestat_set_times: {}", fd_filestat_set_times(fd, 1 << 33, 1 << 33, 5));
    println!("fd_filestat_get: {} {}", fd_filestat_get(fd, stat.as_mut_ptr()), stat[4]);
    println!("fd_fdstat_set_flags: {}", fd_fdstat_set_flags(fd, 1));
    println!("fd_fdstat_set_rights: {}", fd_fdstat_set_rights(fd, 2, 0));
    println!("fd_fdstat_get: {} {}", fd_fdstat_get(fd, stat.as_mut_ptr()), stat[1]);
    let other = open("raw", 0);
    println!("fd_renumber: {}", fd_renumber(other, fd));
    println!("fd_close: {} {}", fd_close(fd), fd_close(other));
}

unsafe fn calls_on_paths() {
    let (mut n, mut stat, mut buf) = (0u32, [0u64; 8], [0u8; 64]);
    let raw = ("raw".as_ptr(), 3usize);
    let name = ("name".as_ptr(), 4usize);
    println!("path_symlink: {}", path_symlink(raw.0, raw.1, 3, name.0, name.1));
    let e = path_readlink(3, name.0, name.1, buf.as_mut_ptr(), 64, &mut n);
    println!("path_readlink: {} {}", e, String::from_utf8_lossy(&buf[..n as usize]));
    let e = path_filestat_get(3, 1, name.0, name.1, stat.as_mut_ptr());
    println!("path_filestat_get: {} {}", e, stat[4]);
    println!("path_unlink_file: {}", path_unlink_file(3, name.0, name.1));
    println!("path_link: {}", path_link(3, 0, raw.0, raw.1, 3, name.0, name.1));
    let second = 1_000_000_000;
    let e = path_filestat_set_times(3, 0, raw.0, raw.1, 3 * second, 4 * second, 5);
    println!("path_filestat_set_times: {}", e);
    path_filestat_get(3, 0, name.0, name.1, stat.as_mut_ptr());
    println!("  {:?}", &stat[3..7]);
    println!("path_rename: {}", path_rename(3, name.0, name.1, 3, raw.0, raw.1));
    println!("path_unlink_file: {}", path_unlink_file(3, raw.0, raw.1));
    println!("path_create_directory: {}", path_create_directory(3, raw.0, raw.1));
    println!("path_remove_directory: {}", path_remove_directory(3, raw.0, raw.1));
    println!("fd_readdir: {} {}", fd_readdir(3, buf.as_mut_ptr(), 64, 0, &mut n), n > 24);
}

unsafe fn other_calls() {
    let (mut a, mut b, mut t, mut buf) = (0u32, 0u32, 0u64, [0u8; 256]);
    let mut list = [0u32; 64];
    let mut prestat = [0u32; 2];
    println!("args_sizes_get: {} {}", args_sizes_get(&mut a, &mut b), a > 1);
    println!("args_get: {}", args_get(list.as_mut_ptr(), buf.as_mut_ptr()));
    println!("environ_sizes_get: {} {}", environ_sizes_get(&mut a, &mut b), a);
    println!("environ_get: {}", environ_get(list.as_mut_ptr(), buf.as_mut_ptr()));
    println!("clock_res_get: {} {}", clock_res_get(0, &mut t), t > 0);
    println!("clock_time_get: {} {}", clock_time_get(1, 0, &mut t), t > 0);
    println!("fd_prestat_get: {} {:?}", fd_prestat_get(3, prestat.as_mut_ptr()), prestat);
    println!("fd_prestat_dir_name: {} {}", fd_prestat_dir_name(3, buf.as_mut_ptr(), 1), buf[0]);
    println!("random_get: {}", random_get(buf.as_mut_ptr(), buf.len()));
    println!("sched_yield: {}", sched_yield());
    // userdata 9, a clock: monotonic, 1 ms
    let subscription = [9u64, 0, 1, 1_000_000, 0, 0];
    let mut event = [0u64; 4];
    let e = poll_oneoff(subscription.as_ptr(), event.as_mut_ptr(), 1, &mut a);
    println!("poll_oneoff: {} {} {}", e, a, event[0]);
    let mut flags = 0u16;
    if std::env::args().count() > 2 {
        println!("sock_accept: {}", sock_accept(0, 0, &mut a));
        println!("sock_recv: {}", sock_recv(1, &iovec(&mut buf), 1, 0, &mut a, &mut flags));
        println!("sock_send: {}", sock_send(1, &iovec(&mut buf), 1, 0, &mut a));
        println!("sock_shutdown: {}", sock_shutdown(1, 1));
        println!("proc_raise: {}", proc_raise(0));
    }
}

fn main() {
    if let Err(e) = with_std() {
        println!("failed: {}", e);
    }
    unsafe {
        calls_on_descriptors();
        calls_on_paths();
        other_calls();
        proc_exit(9);
    }
}
