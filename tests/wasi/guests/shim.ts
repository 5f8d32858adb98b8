// What programs in AssemblyScript do, through the WASI shim; then every function of preview 1 by
// the shim's bindings. Expects what calls.c does.
import * as wasi from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "sock_accept")
declare function sock_accept(fd: u32, flags: u16, ret: usize): u16;

const ROOT: u32 = 3;
const ALL: u64 = 0x0fffffff;

const ret = memory.data(8, 8);
const ret2 = memory.data(8, 8);
const iov = memory.data(8, 8);
const data = memory.data(512, 8);

function text(value: string): ArrayBuffer {
  return String.UTF8.encode(value);
}

function pointer(value: ArrayBuffer): usize {
  return changetype<usize>(value);
}

function show(name: string, code: u32): void {
  console.log(name + ": " + code.toString());
}

function from(value: ArrayBuffer): usize {
  store<u32>(iov, <u32>pointer(value), 0);
  store<u32>(iov, value.byteLength, 4);
  return iov;
}

function into(size: u32): usize {
  memory.fill(data, 0, 512);
  store<u32>(iov, <u32>data, 0);
  store<u32>(iov, size, 4);
  return iov;
}

function got(): string {
  return String.UTF8.decodeUnsafe(data, load<u32>(ret));
}

function open(name: string, flags: u16): u32 {
  const path = text(name);
  show("path_open " + name,
    wasi.path_open(ROOT, 0, pointer(path), path.byteLength, flags, ALL, ALL, 0, ret));
  return load<u32>(ret);
}

function withShim(): void {
  console.log("argument " + process.argv[1]);
  console.log("KEY " + (process.env.has("KEY") ? process.env.get("KEY") : "none"));
  console.log("now " + (Date.now() > 1577836800000).toString());
  console.log("hrtime " + (process.hrtime() > 0).toString());
  const bytes = new Uint8Array(64);
  crypto.getRandomValues(bytes);
  let zeros = 0;
  for (let k = 0; k < 64; k++) zeros += i32(bytes[k] == 0);
  console.log("random " + (zeros < 16).toString());
  const input = new ArrayBuffer(64);
  const size = process.stdin.read(input);
  console.log("stdin " + size.toString() + " " + String.UTF8.decode(input.slice(0, size)));
  process.stdout.write("plain\n");
  process.stderr.write("to stderr\n");
}

function lists(): void {
  show("args_sizes_get", wasi.args_sizes_get(ret, ret2));
  show("args_get", wasi.args_get(data, data + 64));
  show("environ_sizes_get", wasi.environ_sizes_get(ret, ret2));
  show("environ_get", wasi.environ_get(data, data + 64));
  show("clock_res_get", wasi.clock_res_get(wasi.clockid.MONOTONIC, ret));
  show("clock_time_get", wasi.clock_time_get(wasi.clockid.REALTIME, 0, ret));
  show("random_get", wasi.random_get(data, 16));
  show("sched_yield", wasi.sched_yield());
  show("fd_prestat_get", wasi.fd_prestat_get(ROOT, changetype<wasi.prestat>(ret)));
  show("fd_prestat_dir_name", wasi.fd_prestat_dir_name(ROOT, data, 1));
}

function files(): void {
  const fd = open("as.txt", wasi.oflags.CREAT);
  show("fd_write", wasi.fd_write(fd, from(text("0123456789")), 1, ret));
  show("fd_pwrite", wasi.fd_pwrite(fd, from(text("AB")), 1, 4, ret));
  show("fd_seek", wasi.fd_seek(fd, 2, wasi.whence.SET, ret));
  show("fd_tell", wasi.fd_tell(fd, ret));
  show("fd_read", wasi.fd_read(fd, into(5), 1, ret));
  console.log(got());
  show("fd_pread", wasi.fd_pread(fd, into(100), 1, 1, ret));
  console.log(got());
  show("fd_advise", wasi.fd_advise(fd, 0, 0, wasi.advice.RANDOM));
  show("fd_allocate", wasi.fd_allocate(fd, 0, 32));
  show("fd_sync", wasi.fd_sync(fd));
  show("fd_datasync", wasi.fd_datasync(fd));
  show("fd_filestat_set_size", wasi.fd_filestat_set_size(fd, 3));
  show("fd_filestat_set_times", wasi.fd_filestat_set_times(fd, 1 << 30, 1 << 30, 5));
  show("fd_filestat_get", wasi.fd_filestat_get(fd, changetype<wasi.filestat>(data)));
  console.log(load<u64>(data, 32).toString());
  show("fd_fdstat_set_flags", wasi.fd_fdstat_set_flags(fd, wasi.fdflags.APPEND));
  show("fd_fdstat_set_rights", wasi.fd_fdstat_set_rights(fd, wasi.rights.FD_READ, 0));
  show("fd_fdstat_get", wasi.fd_fdstat_get(fd, changetype<wasi.fdstat>(data)));
  show("fd_write refused", u32(wasi.fd_write(fd, from(text("x")), 1, ret) != 0));
  const other = open("host.txt", 0);
  show("fd_renumber", wasi.fd_renumber(other, fd));
  show("fd_read", wasi.fd_read(fd, into(100), 1, ret));
  console.log(got());
  show("fd_close", wasi.fd_close(fd));
  show("fd_close", wasi.fd_close(other));
}

function names(): void {
  const file = text("as.txt"), link = text("as.link"), folder = text("as.folder");
  const f = pointer(file), l = pointer(link), d = pointer(folder);
  const fs = file.byteLength, ls = link.byteLength, ds = folder.byteLength;
  show("path_create_directory", wasi.path_create_directory(ROOT, d, ds));
  show("path_symlink", wasi.path_symlink(f, fs, ROOT, l, ls));
  show("path_readlink", wasi.path_readlink(ROOT, l, ls, data, 100, ret));
  console.log(got());
  show("path_filestat_get", wasi.path_filestat_get(ROOT, 1, l, ls, changetype<wasi.filestat>(data)));
  console.log(load<u64>(data, 32).toString());
  show("path_unlink_file", wasi.path_unlink_file(ROOT, l, ls));
  show("path_link", wasi.path_link(ROOT, 0, f, fs, ROOT, l, ls));
  show("path_unlink_file", wasi.path_unlink_file(ROOT, f, fs));
  show("path_rename", wasi.path_rename(ROOT, l, ls, ROOT, f, fs));
  show("path_filestat_set_times", wasi.path_filestat_set_times(ROOT, 0, f, fs, 0, 7000000000, 4));
  show("path_remove_directory", wasi.path_remove_directory(ROOT, d, ds));
  show("path_remove_directory", wasi.path_remove_directory(ROOT, d, ds));
  show("fd_readdir", wasi.fd_readdir(ROOT, data, 100, 0, ret));
}

function waiting(): void {
  memory.fill(data, 0, 128);
  store<u64>(data, 77);
  store<u32>(data, wasi.clockid.MONOTONIC, 16);
  store<u64>(data, 1000000, 24);
  show("poll_oneoff", wasi.poll_oneoff(data, data + 64, 1, ret));
  console.log(load<u64>(data, 64).toString());
}

function beyondNode(): void {
  show("sock_accept", sock_accept(0, 0, ret));
  show("sock_recv", wasi.sock_recv(1, into(8), 1, 0, ret, ret2));
  show("sock_send", wasi.sock_send(1, into(8), 1, 0, ret));
  show("sock_shutdown", wasi.sock_shutdown(1, wasi.sdflags.WR));
  show("proc_raise", wasi.proc_raise(0));
}

withShim();
lists();
files();
names();
waiting();
if (process.argv.length > 2) beyondNode();
wasi.proc_exit(3);
