//! The gateway's functions, with slices in place of pointers and lengths.

mod import {
    #[link(wasm_import_module = "sallyport")]
    extern "C" {
        pub fn config(buf: *mut u8, cap: usize) -> i32;
        pub fn fail(text: *const u8, text_len: usize) -> i32;
        pub fn log(level: i32, text: *const u8, text_len: usize) -> i32;
        pub fn get(field: i32, buf: *mut u8, cap: usize) -> i32;
        pub fn set(field: i32, value: *const u8, value_len: usize) -> i32;
        pub fn param(name: *const u8, name_len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn query(name: *const u8, name_len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn status(msg: u32) -> i32;
        pub fn set_status(code: i32) -> i32;
        pub fn header_get(msg: u32, name: *const u8, name_len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn header_all(msg: u32, name: *const u8, name_len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn header_set(msg: u32, name: *const u8, name_len: usize, value: *const u8, value_len: usize) -> i32;
        pub fn header_add(msg: u32, name: *const u8, name_len: usize, value: *const u8, value_len: usize) -> i32;
        pub fn header_remove(msg: u32, name: *const u8, name_len: usize) -> i32;
        pub fn body_size(msg: u32) -> i32;
        pub fn body_read(msg: u32, offset: u32, buf: *mut u8, cap: usize) -> i32;
        pub fn body_write(msg: u32, data: *const u8, data_len: usize) -> i32;
        pub fn respond(status: i32, body: *const u8, body_len: usize) -> i32;
        pub fn state_get(buf: *mut u8, cap: usize) -> i32;
        pub fn state_set(data: *const u8, data_len: usize) -> i32;
        pub fn attr_get(name: *const u8, name_len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn attr_set(name: *const u8, name_len: usize, value: *const u8, value_len: usize) -> i32;
        pub fn exchange() -> i64;
        pub fn now() -> i64;
        pub fn random(buf: *mut u8, cap: usize) -> i32;
    }
}

pub fn config(buf: &mut [u8]) -> i32 {
    unsafe { import::config(buf.as_mut_ptr(), buf.len()) }
}

pub fn fail(text: &str) -> i32 {
    unsafe { import::fail(text.as_ptr(), text.len()) }
}

pub fn log(level: i32, text: &str) -> i32 {
    unsafe { import::log(level, text.as_ptr(), text.len()) }
}

pub fn get(field: i32, buf: &mut [u8]) -> i32 {
    unsafe { import::get(field, buf.as_mut_ptr(), buf.len()) }
}

pub fn set(field: i32, value: &str) -> i32 {
    unsafe { import::set(field, value.as_ptr(), value.len()) }
}

pub fn param(name: &str, buf: &mut [u8]) -> i32 {
    unsafe { import::param(name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

pub fn query(name: &str, buf: &mut [u8]) -> i32 {
    unsafe { import::query(name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

pub fn status(msg: u32) -> i32 {
    unsafe { import::status(msg) }
}

pub fn set_status(code: i32) -> i32 {
    unsafe { import::set_status(code) }
}

pub fn header_get(msg: u32, name: &str, buf: &mut [u8]) -> i32 {
    unsafe { import::header_get(msg, name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

pub fn header_all(msg: u32, name: &str, buf: &mut [u8]) -> i32 {
    unsafe { import::header_all(msg, name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

pub fn header_set(msg: u32, name: &str, value: &str) -> i32 {
    unsafe { import::header_set(msg, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
}

pub fn header_add(msg: u32, name: &str, value: &str) -> i32 {
    unsafe { import::header_add(msg, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
}

pub fn header_remove(msg: u32, name: &str) -> i32 {
    unsafe { import::header_remove(msg, name.as_ptr(), name.len()) }
}

pub fn body_size(msg: u32) -> i32 {
    unsafe { import::body_size(msg) }
}

pub fn body_read(msg: u32, offset: u32, buf: &mut [u8]) -> i32 {
    unsafe { import::body_read(msg, offset, buf.as_mut_ptr(), buf.len()) }
}

pub fn body_write(msg: u32, data: &[u8]) -> i32 {
    unsafe { import::body_write(msg, data.as_ptr(), data.len()) }
}

pub fn respond(status: i32, body: &[u8]) -> i32 {
    unsafe { import::respond(status, body.as_ptr(), body.len()) }
}

pub fn state_get(buf: &mut [u8]) -> i32 {
    unsafe { import::state_get(buf.as_mut_ptr(), buf.len()) }
}

pub fn state_set(data: &[u8]) -> i32 {
    unsafe { import::state_set(data.as_ptr(), data.len()) }
}

pub fn attr_get(name: &str, buf: &mut [u8]) -> i32 {
    unsafe { import::attr_get(name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

pub fn attr_set(name: &str, value: &str) -> i32 {
    unsafe { import::attr_set(name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
}

pub fn exchange() -> i64 {
    unsafe { import::exchange() }
}

pub fn now() -> i64 {
    unsafe { import::now() }
}

pub fn random(buf: &mut [u8]) -> i32 {
    unsafe { import::random(buf.as_mut_ptr(), buf.len()) }
}
