//! Metadata of an NFT collection, as ERC-721 wallets and markets ask for it.
//!
//!     GET /           the collection
//!     GET /ID         the token's metadata, ID from 1 to 10000
//!     GET /ID.svg     its picture
//!
//! A token's traits follow from its number alone, so nothing is stored, and an answer carries a
//! strong ETag: whoever has it gets a 304 without a body.
use std::env;
use std::io::{self, Write};

const TOKENS: u32 = 10_000;
const DESCRIPTION: &str = "Ten thousand mayflies, each of which lives for one request.";

struct Trait {
    name: &'static str,
    values: &'static [&'static str],
}

const TRAITS: [Trait; 4] = [
    Trait { name: "Wings", values: &["clear", "amber", "veined", "smoky", "iridescent"] },
    Trait { name: "Body", values: &["olive", "rust", "cream", "slate"] },
    Trait { name: "Tails", values: &["two", "three"] },
    Trait { name: "Hour", values: &["dawn", "noon", "dusk", "midnight"] },
];

const COLOURS: [&str; 4] = ["#7d8a3c", "#a5522d", "#e8dcb5", "#5b6770"];
const SKIES: [&str; 4] = ["#f6c9a8", "#a9d6f5", "#8c6a9f", "#1b2140"];

struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

/// FNV-1a: good enough to tell bodies apart and to draw traits, and the same everywhere.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}

/// Which value of trait `index` the token has.
fn draw(token: u32, index: usize) -> usize {
    let seed = hash(format!("{token}/{}", TRAITS[index].name).as_bytes());
    ((seed >> 32) % TRAITS[index].values.len() as u64) as usize
}

fn collection(base: &str) -> Answer {
    Answer {
        status: "200 OK",
        content_type: "application/json",
        body: format!(
            "{{\"name\":\"Mayflies\",\"description\":\"{DESCRIPTION}\",\
             \"total_supply\":{TOKENS},\"image\":\"{base}/1.svg\"}}\n"
        ),
    }
}

fn metadata(base: &str, token: u32) -> Answer {
    let attributes: Vec<String> = (0..TRAITS.len())
        .map(|i| {
            let value = TRAITS[i].values[draw(token, i)];
            format!("{{\"trait_type\":\"{}\",\"value\":\"{value}\"}}", TRAITS[i].name)
        })
        .collect();
    Answer {
        status: "200 OK",
        content_type: "application/json",
        body: format!(
            "{{\"name\":\"Mayfly #{token}\",\"description\":\"{DESCRIPTION}\",\
             \"image\":\"{base}/{token}.svg\",\"attributes\":[{}]}}\n",
            attributes.join(",")
        ),
    }
}

fn picture(token: u32) -> Answer {
    let (wings, body, tails, hour) = (draw(token, 0), draw(token, 1), draw(token, 2), draw(token, 3));
    let opacity = 0.35 + 0.12 * wings as f64;
    let tail = |x: i32| format!("<path d=\"M100 140Q{x} 170 {x} 195\"/>");
    let tail_paths: String = [85, 115, 100][..tails + 2].iter().map(|x| tail(*x)).collect();
    Answer {
        status: "200 OK",
        content_type: "image/svg+xml",
        body: format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 200 200\">\
             <rect width=\"200\" height=\"200\" fill=\"{}\"/>\
             <g fill=\"#fff\" fill-opacity=\"{opacity:.2}\" stroke=\"#333\">\
             <path d=\"M100 80Q40 10 20 70Q50 100 100 90Z\"/>\
             <path d=\"M100 80Q160 10 180 70Q150 100 100 90Z\"/></g>\
             <g fill=\"none\" stroke=\"{1}\" stroke-width=\"2\">{tail_paths}</g>\
             <ellipse cx=\"100\" cy=\"105\" rx=\"7\" ry=\"38\" fill=\"{1}\"/></svg>\n",
            SKIES[hour], COLOURS[body]
        ),
    }
}

fn refusal(status: &'static str, reason: &str) -> Answer {
    Answer {
        status,
        content_type: "application/json",
        body: format!("{{\"error\":\"{reason}\"}}\n"),
    }
}

/// A token's number as one writes it: no sign, no leading zero.
fn token_of(text: &str) -> Option<u32> {
    if text.starts_with('0') || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|token| *token <= TOKENS)
}

fn answer(base: &str, path: &str) -> Answer {
    let name = path.strip_prefix('/').unwrap_or(path);
    if name.is_empty() {
        return collection(base);
    }
    let (number, is_picture) = match name.strip_suffix(".svg") {
        Some(number) => (number, true),
        None => (name, false),
    };
    match token_of(number) {
        Some(token) if is_picture => picture(token),
        Some(token) => metadata(base, token),
        None => refusal("404 Not Found", "no such token"),
    }
}

/// RFC 9110 §13.1.2: weak comparison, and `*` for anything that exists.
fn is_known(if_none_match: &str, etag: &str) -> bool {
    if_none_match.split(',').map(str::trim).any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag
    })
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// What an absolute link to this app begins with. Host is the client's word, so it goes into JSON
/// only when it looks like a host.
fn base_url() -> String {
    let host = variable("HTTP_HOST");
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    if host.is_empty() || !host.bytes().all(plain) {
        return variable("SCRIPT_NAME").trim_end_matches('/').to_string();
    }
    let scheme = if variable("HTTPS") == "on" { "https" } else { "http" };
    format!("{scheme}://{host}{}", variable("SCRIPT_NAME").trim_end_matches('/'))
}

/// The whole CGI answer, head and body.
fn respond() -> String {
    let method = variable("REQUEST_METHOD");
    if method != "GET" && method != "HEAD" {
        return "Status: 405 Method Not Allowed\nAllow: GET, HEAD\nContent-Type: application/json\n\n\
                {\"error\":\"only GET and HEAD\"}\n"
            .to_string();
    }
    let answer = answer(&base_url(), &variable("PATH_INFO"));
    let mut head = format!("Status: {}\n", answer.status);
    if answer.status.starts_with("200") {
        let etag = format!("\"{:016x}\"", hash(answer.body.as_bytes()));
        let caching = format!("ETag: {etag}\nCache-Control: public, max-age=300\n");
        if is_known(&variable("HTTP_IF_NONE_MATCH"), &etag) {
            return format!("Status: 304 Not Modified\n{caching}\n");
        }
        head += &caching;
    }
    head += &format!("Content-Type: {}\n", answer.content_type);
    head += &format!("Content-Length: {}\n\n", answer.body.len());
    if method == "HEAD" {
        return head;
    }
    head + &answer.body
}

fn main() -> io::Result<()> {
    io::stdout().write_all(respond().as_bytes())
}
