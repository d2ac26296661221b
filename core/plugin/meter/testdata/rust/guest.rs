// Work of several kinds; every export takes a size and returns a number that depends on everything computed.
#![crate_type = "cdylib"]

use std::collections::HashMap;

#[no_mangle]
pub extern "C" fn fib(n: i32) -> i32 {
    if n < 2 {
        n
    } else {
        fib(n - 1) + fib(n - 2)
    }
}

#[no_mangle]
pub extern "C" fn sum(n: i32) -> i32 {
    let mut h: [u32; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
    for i in 0..n as u32 {
        for r in 0..64u32 {
            let s1 = h[4].rotate_right(6) ^ h[4].rotate_right(11) ^ h[4].rotate_right(25);
            let ch = (h[4] & h[5]) ^ (!h[4] & h[6]);
            let t1 = h[7].wrapping_add(s1).wrapping_add(ch).wrapping_add(r.wrapping_mul(0x9e37_79b9)).wrapping_add(i);
            let s0 = h[0].rotate_right(2) ^ h[0].rotate_right(13) ^ h[0].rotate_right(22);
            let maj = (h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]);
            h = [t1.wrapping_add(s0.wrapping_add(maj)), h[0], h[1], h[2], h[3].wrapping_add(t1), h[4], h[5], h[6]];
        }
    }
    h[0] as i32
}

#[no_mangle]
pub extern "C" fn sorted(n: i32) -> i32 {
    let mut x = 1u32;
    let mut v: Vec<u32> = (0..n)
        .map(|_| {
            x = x.wrapping_mul(1664525).wrapping_add(1013904223);
            x >> 8
        })
        .collect();
    v.sort();
    v[v.len() / 2] as i32
}

#[no_mangle]
pub extern "C" fn matmul(n: i32) -> i32 {
    let n = n as usize;
    let grid = || -> Vec<Vec<f64>> { (0..n).map(|i| (0..n).map(|j| (i ^ j) as f64).collect()).collect() };
    let (a, b, mut c) = (grid(), grid(), grid());
    for i in 0..n {
        for j in 0..n {
            c[i][j] = (0..n).map(|k| a[i][k] * b[k][j]).sum();
        }
    }
    c[n / 2][n / 3] as i32
}

trait Shape {
    fn area(&self, depth: i32) -> i32;
}

struct Leaf(i32);

struct Pair(Box<dyn Shape>, Box<dyn Shape>);

impl Shape for Leaf {
    fn area(&self, _: i32) -> i32 {
        self.0
    }
}

impl Shape for Pair {
    fn area(&self, d: i32) -> i32 {
        self.0.area(d + 1).wrapping_add(d.wrapping_mul(self.1.area(d + 1)))
    }
}

#[no_mangle]
pub extern "C" fn words(n: i32) -> i32 {
    let mut count: HashMap<String, i32> = HashMap::new();
    let mut text = String::new();
    let mut s: Box<dyn Shape> = Box::new(Leaf(1));
    for i in 0..n {
        let w = format!("{}", i.wrapping_mul(i) % 97);
        *count.entry(w.clone()).or_insert(0) += i;
        text.push_str(&w);
        s = Box::new(Pair(Box::new(Leaf(i)), s));
        if i % 16 == 0 {
            s = Box::new(Leaf(s.area(0) & 0xffff));
        }
    }
    count.iter().fold(s.area(1) + text.len() as i32, |t, (w, c)| t + c * w.len() as i32)
}
