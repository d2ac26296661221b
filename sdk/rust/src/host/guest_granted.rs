//! The gateway's functions that need a grant, and the metrics.

mod import {
    #[link(wasm_import_module = "sallyport")]
    extern "C" {
        pub fn kv_get(
            store: *const u8,
            store_len: usize,
            key: *const u8,
            key_len: usize,
            buf: *mut u8,
            cap: usize,
        ) -> i32;
        pub fn kv_set(
            store: *const u8,
            store_len: usize,
            key: *const u8,
            key_len: usize,
            value: *const u8,
            value_len: usize,
            ttl_ms: u32,
        ) -> i32;
        pub fn kv_add(
            store: *const u8,
            store_len: usize,
            key: *const u8,
            key_len: usize,
            delta: i64,
            ttl_ms: u32,
            out: *mut u8,
        ) -> i32;
        pub fn kv_delete(store: *const u8, store_len: usize, key: *const u8, key_len: usize) -> i32;
        pub fn kv_swap(
            store: *const u8,
            store_len: usize,
            key: *const u8,
            key_len: usize,
            old: *const u8,
            old_len: usize,
            new: *const u8,
            new_len: usize,
            ttl_ms: u32,
        ) -> i32;
        pub fn rate_take(limit: *const u8, limit_len: usize, key: *const u8, key_len: usize, n: u32) -> i32;
        pub fn secret(name: *const u8, name_len: usize, buf: *mut u8, cap: usize) -> i32;
        pub fn granted(grant: *const u8, grant_len: usize) -> i32;
        pub fn metric_add(name: *const u8, name_len: usize, labels: *const u8, labels_len: usize, delta: i64) -> i32;
        pub fn metric_observe(
            name: *const u8,
            name_len: usize,
            labels: *const u8,
            labels_len: usize,
            value: f64,
        ) -> i32;
        pub fn fetch_start(
            upstream: *const u8,
            upstream_len: usize,
            fields: *const u8,
            fields_len: usize,
            body: *const u8,
            body_len: usize,
            timeout_ms: u32,
        ) -> i32;
        pub fn fetch(
            upstream: *const u8,
            upstream_len: usize,
            fields: *const u8,
            fields_len: usize,
            body: *const u8,
            body_len: usize,
            timeout_ms: u32,
        ) -> i32;
        pub fn fetch_result(id: u32) -> i32;
        pub fn password_check(
            set: *const u8,
            set_len: usize,
            user: *const u8,
            user_len: usize,
            password: *const u8,
            password_len: usize,
        ) -> i32;
        pub fn schema_check(
            schema: *const u8,
            schema_len: usize,
            msg: u32,
            data: *const u8,
            data_len: usize,
            buf: *mut u8,
            cap: usize,
        ) -> i32;
        pub fn jwt_verify(
            keys: *const u8,
            keys_len: usize,
            token: *const u8,
            token_len: usize,
            buf: *mut u8,
            cap: usize,
        ) -> i32;
    }
}

/// The length that stands for: if there is no value.
const NO_OLD: usize = u32::MAX as usize;

pub fn kv_get(store: &str, key: &str, buf: &mut [u8]) -> i32 {
    unsafe {
        import::kv_get(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            buf.as_mut_ptr(),
            buf.len(),
        )
    }
}

pub fn kv_set(store: &str, key: &str, value: &[u8], ttl: u32) -> i32 {
    unsafe {
        import::kv_set(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            ttl,
        )
    }
}

pub fn kv_add(store: &str, key: &str, delta: i64, ttl: u32, out: &mut [u8; 8]) -> i32 {
    unsafe {
        import::kv_add(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            delta,
            ttl,
            out.as_mut_ptr(),
        )
    }
}

pub fn kv_delete(store: &str, key: &str) -> i32 {
    unsafe { import::kv_delete(store.as_ptr(), store.len(), key.as_ptr(), key.len()) }
}

pub fn kv_swap(store: &str, key: &str, old: Option<&[u8]>, new: &[u8], ttl: u32) -> i32 {
    let (old, old_len) = old.map_or((core::ptr::null(), NO_OLD), |old| (old.as_ptr(), old.len()));
    unsafe {
        import::kv_swap(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            old,
            old_len,
            new.as_ptr(),
            new.len(),
            ttl,
        )
    }
}

pub fn rate_take(limit: &str, key: &str, n: u32) -> i32 {
    unsafe { import::rate_take(limit.as_ptr(), limit.len(), key.as_ptr(), key.len(), n) }
}

pub fn secret(name: &str, buf: &mut [u8]) -> i32 {
    unsafe { import::secret(name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

pub fn granted(grant: &str) -> i32 {
    unsafe { import::granted(grant.as_ptr(), grant.len()) }
}

pub fn metric_add(name: &str, labels: &[u8], delta: i64) -> i32 {
    unsafe { import::metric_add(name.as_ptr(), name.len(), labels.as_ptr(), labels.len(), delta) }
}

pub fn metric_observe(name: &str, labels: &[u8], value: f64) -> i32 {
    unsafe { import::metric_observe(name.as_ptr(), name.len(), labels.as_ptr(), labels.len(), value) }
}

pub fn fetch_start(upstream: &str, fields: &[u8], body: &[u8], timeout: u32) -> i32 {
    unsafe {
        import::fetch_start(
            upstream.as_ptr(),
            upstream.len(),
            fields.as_ptr(),
            fields.len(),
            body.as_ptr(),
            body.len(),
            timeout,
        )
    }
}

pub fn fetch(upstream: &str, fields: &[u8], body: &[u8], timeout: u32) -> i32 {
    unsafe {
        import::fetch(
            upstream.as_ptr(),
            upstream.len(),
            fields.as_ptr(),
            fields.len(),
            body.as_ptr(),
            body.len(),
            timeout,
        )
    }
}

pub fn fetch_result(id: u32) -> i32 {
    unsafe { import::fetch_result(id) }
}

pub fn jwt_verify(keys: &str, token: &str, buf: &mut [u8]) -> i32 {
    unsafe {
        import::jwt_verify(
            keys.as_ptr(),
            keys.len(),
            token.as_ptr(),
            token.len(),
            buf.as_mut_ptr(),
            buf.len(),
        )
    }
}

pub fn password_check(set: &str, user: &str, password: &str) -> i32 {
    unsafe {
        import::password_check(
            set.as_ptr(),
            set.len(),
            user.as_ptr(),
            user.len(),
            password.as_ptr(),
            password.len(),
        )
    }
}

pub fn schema_check(schema: &str, msg: u32, data: &[u8], buf: &mut [u8]) -> i32 {
    unsafe {
        import::schema_check(
            schema.as_ptr(),
            schema.len(),
            msg,
            data.as_ptr(),
            data.len(),
            buf.as_mut_ptr(),
            buf.len(),
        )
    }
}
