//! A response's head: its framing is what RFC 9112, 6.3, makes of the fields that it shows.

use node_agent::wire::{Framing, ResponseHead};

pub fn check(data: &[u8]) {
    let Some((first, bytes)) = data.split_first() else {
        return;
    };
    let to_head = first & 1 == 1;
    let Ok(head) = ResponseHead::parse(bytes, to_head) else {
        return;
    };
    assert!(head.status <= 999);
    if to_head || matches!(head.status, 100..=199 | 204 | 304) {
        assert_eq!(head.framing(), Framing::None);
        return;
    }
    let length = head.value("content-length");
    match (head.value("transfer-encoding"), head.framing()) {
        (Some(coding), framing) => {
            assert!(coding.eq_ignore_ascii_case("chunked") && length.is_none());
            assert_eq!(framing, Framing::Chunked);
        }
        (None, Framing::Length(count)) => assert_eq!(length.unwrap().parse(), Ok(count)),
        (None, framing) => {
            assert!(length.is_none());
            assert_eq!(framing, Framing::UntilClose);
        }
    }
}
