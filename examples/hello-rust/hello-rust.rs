// The smallest app in Rust: a CGI program that says hello.
use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(b"content-type: text/plain\n\nHello from Rust\n")
}
