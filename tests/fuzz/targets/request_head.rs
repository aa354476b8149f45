#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| node_agent_fuzz::request_head::check(data));
