//! Wasmtime's C API as a shared library, with one function more.

pub use wasmtime_c_api::*;

use wasmtime_c_api::wasmtime::{Enabled, PoolingAllocationConfig};

/// Whether the pooling allocator finds the pages to reset by asking the kernel which were written
/// (`PAGEMAP_SCAN`). Where the kernel cannot tell, the setting does nothing.
///
/// # Safety
///
/// `config` must come from `wasmtime_pooling_allocation_config_new`.
#[no_mangle]
pub unsafe extern "C" fn ubiq_pooling_allocation_config_pagemap_scan_set(
    config: *mut wasmtime_pooling_allocation_config_t,
    enable: bool,
) {
    // The C API's struct is `repr(C)` and holds Wasmtime's own as its only field.
    let config = unsafe { &mut *config.cast::<PoolingAllocationConfig>() };
    config.pagemap_scan(if enable { Enabled::Auto } else { Enabled::No });
}
