#ifndef UBIQ_TESTS_WASM_INSTRUCTIONS_H
#define UBIQ_TESTS_WASM_INSTRUCTIONS_H

/* Every instruction of WebAssembly 3.0 with threads, as text with its immediates, for a module that
 * begins with INSTRUCTION_CONTEXT. Instructions stand on a line of their own; behind `unreachable`
 * they need no operands, and what they leave is dropped by another one. */

#define INSTRUCTION_CONTEXT                                                                        \
    "(module"                                                                                      \
    "(type $plain (func))"                                                                         \
    "(type $map (func (param i32) (result i32)))"                                                  \
    "(type $two (func (param i32 i64) (result i64 i32)))"                                          \
    "(type $pair (struct (field (mut i32)) (field (mut i8))))"                                     \
    "(type $bytes (array (mut i8)))"                                                               \
    "(type $refs (array (mut funcref)))"                                                           \
    "(import \"host\" \"f\" (func $imported (type $plain)))"                                       \
    "(memory $m 1) (memory $m2 1) (memory $long i64 1)"                                            \
    "(table $t 4 funcref) (table $t2 4 funcref)"                                                   \
    "(global $g (mut i32) (i32.const 0))"                                                          \
    "(tag $e (param i32))"                                                                         \
    "(data $d \"data\")"                                                                           \
    "(elem $el func $imported)"

static const char *const instruction_groups[] = {
    /* control */
    "nop\nunreachable\nreturn\nbr 0\nbr_if 0\nbr_table 0 0 0 0\ndrop\nselect\n"
    "select (result i32)\nselect (result funcref)\nselect (result (ref null $pair))\n"
    "block end\nloop end\nif else end\nif end\nblock (result i32) i32.const 1 end\n"
    "block (type $two) unreachable end\nloop (type $map) end\nif (type $map) else end\n"
    "block (result (ref null $pair)) ref.null $pair end\nblock block loop br 2 end end end\n"
    "block (result funcref) unreachable br_on_non_null 0 unreachable end\n"
    "call $imported\ncall_indirect (type $map)\ncall_indirect $t2 (type $two)\n"
    "return_call $imported\nreturn_call_indirect $t (type $plain)\ncall_ref $map\n"
    "return_call_ref $plain\nbr_on_null 0\nthrow $e\nthrow_ref\n"
    "block (result i32) try_table (catch $e 0) end unreachable end\n"
    "block (result i32 exnref) try_table (catch_ref $e 0) (catch_all 1) end unreachable end\n"
    "block (result exnref) try_table (result i32) (catch_all_ref 0) i32.const 1 end unreachable "
    "end\n"
    "local.get 0\nlocal.set 1\nlocal.tee 2\nglobal.get $g\nglobal.set $g\n",
    /* references and tables */
    "ref.null func\nref.null extern\nref.null $pair\nref.is_null\nref.func $imported\nref.eq\n"
    "ref.as_non_null\ntable.get $t\ntable.set $t2\ntable.size $t2\ntable.grow $t2\ntable.fill $t2\n"
    "table.copy $t $t2\ntable.init $t2 $el\nelem.drop $el\n",
    /* memories */
    "i32.load\ni64.load offset=70000\nf32.load align=1\nf64.load $m2\ni32.load8_s\ni32.load8_u\n"
    "i32.load16_s\ni32.load16_u\ni64.load8_s\ni64.load8_u\ni64.load16_s\ni64.load16_u\n"
    "i64.load32_s\ni64.load32_u\ni32.store\ni64.store $m2 offset=4\nf32.store\nf64.store\n"
    "i32.store8\ni32.store16\ni64.store8\ni64.store16\ni64.store32\n"
    "i32.load $long offset=0xffffffffffff\ni64.store $long offset=5\n"
    "memory.size\nmemory.size $m2\nmemory.size $long\nmemory.grow\nmemory.grow $m2\n"
    "memory.grow $long\nmemory.fill\nmemory.fill $m2\nmemory.copy\nmemory.copy $m2 $m\n"
    "memory.copy $m $long\nmemory.init $d\nmemory.init $m2 $d\ndata.drop $d\n",
    /* numbers */
    "i32.const -1\ni32.const 2147483647\ni64.const -9223372036854775808\ni64.const 0\n"
    "f32.const nan\nf32.const -1.5\nf64.const inf\nf64.const 0x1.fffffffffffffp1023\n"
    "i32.eqz\ni32.eq\ni32.ne\ni32.lt_s\ni32.lt_u\ni32.gt_s\ni32.gt_u\ni32.le_s\ni32.le_u\n"
    "i32.ge_s\ni32.ge_u\ni64.eqz\ni64.eq\ni64.ne\ni64.lt_s\ni64.lt_u\ni64.gt_s\ni64.gt_u\n"
    "i64.le_s\ni64.le_u\ni64.ge_s\ni64.ge_u\nf32.eq\nf32.ne\nf32.lt\nf32.gt\nf32.le\nf32.ge\n"
    "f64.eq\nf64.ne\nf64.lt\nf64.gt\nf64.le\nf64.ge\ni32.clz\ni32.ctz\ni32.popcnt\ni32.add\n"
    "i32.sub\ni32.mul\ni32.div_s\ni32.div_u\ni32.rem_s\ni32.rem_u\ni32.and\ni32.or\ni32.xor\n"
    "i32.shl\ni32.shr_s\ni32.shr_u\ni32.rotl\ni32.rotr\ni64.clz\ni64.ctz\ni64.popcnt\ni64.add\n"
    "i64.sub\ni64.mul\ni64.div_s\ni64.div_u\ni64.rem_s\ni64.rem_u\ni64.and\ni64.or\ni64.xor\n"
    "i64.shl\ni64.shr_s\ni64.shr_u\ni64.rotl\ni64.rotr\nf32.abs\nf32.neg\nf32.ceil\nf32.floor\n"
    "f32.trunc\nf32.nearest\nf32.sqrt\nf32.add\nf32.sub\nf32.mul\nf32.div\nf32.min\nf32.max\n"
    "f32.copysign\nf64.abs\nf64.neg\nf64.ceil\nf64.floor\nf64.trunc\nf64.nearest\nf64.sqrt\n"
    "f64.add\nf64.sub\nf64.mul\nf64.div\nf64.min\nf64.max\nf64.copysign\ni32.wrap_i64\n"
    "i32.trunc_f32_s\ni32.trunc_f32_u\ni32.trunc_f64_s\ni32.trunc_f64_u\ni64.extend_i32_s\n"
    "i64.extend_i32_u\ni64.trunc_f32_s\ni64.trunc_f32_u\ni64.trunc_f64_s\ni64.trunc_f64_u\n"
    "f32.convert_i32_s\nf32.convert_i32_u\nf32.convert_i64_s\nf32.convert_i64_u\n"
    "f32.demote_f64\nf64.convert_i32_s\nf64.convert_i32_u\nf64.convert_i64_s\n"
    "f64.convert_i64_u\nf64.promote_f32\ni32.reinterpret_f32\ni64.reinterpret_f64\n"
    "f32.reinterpret_i32\nf64.reinterpret_i64\ni32.extend8_s\ni32.extend16_s\ni64.extend8_s\n"
    "i64.extend16_s\ni64.extend32_s\ni32.trunc_sat_f32_s\ni32.trunc_sat_f32_u\n"
    "i32.trunc_sat_f64_s\ni32.trunc_sat_f64_u\ni64.trunc_sat_f32_s\ni64.trunc_sat_f32_u\n"
    "i64.trunc_sat_f64_s\ni64.trunc_sat_f64_u\n",
    /* vectors */
    "v128.load\nv128.load8x8_s\nv128.load8x8_u\nv128.load16x4_s\nv128.load16x4_u\n"
    "v128.load32x2_s\nv128.load32x2_u\nv128.load8_splat\nv128.load16_splat\nv128.load32_splat\n"
    "v128.load64_splat $m2 offset=9\nv128.load32_zero\nv128.load64_zero\nv128.store\n"
    "v128.load8_lane 15\nv128.load16_lane 7\nv128.load32_lane $m2 offset=4 3\n"
    "v128.load64_lane 1\nv128.store8_lane 1\nv128.store16_lane 1\nv128.store32_lane 1\n"
    "v128.store64_lane 1\nv128.const i64x2 -1 0x0b0b0b0b0b0b0b0b\n"
    "i8x16.shuffle 0 11 2 3 4 5 6 7 8 9 10 11 12 13 14 31\ni8x16.swizzle\ni8x16.splat\n"
    "i16x8.splat\ni32x4.splat\ni64x2.splat\nf32x4.splat\nf64x2.splat\ni8x16.extract_lane_s 11\n"
    "i8x16.extract_lane_u 1\ni8x16.replace_lane 1\ni16x8.extract_lane_s 1\n"
    "i16x8.extract_lane_u 1\ni16x8.replace_lane 1\ni32x4.extract_lane 1\ni32x4.replace_lane 1\n"
    "i64x2.extract_lane 1\ni64x2.replace_lane 1\nf32x4.extract_lane 1\nf32x4.replace_lane 1\n"
    "f64x2.extract_lane 1\nf64x2.replace_lane 1\ni8x16.eq\ni8x16.ne\ni8x16.lt_s\ni8x16.lt_u\n"
    "i8x16.gt_s\ni8x16.gt_u\ni8x16.le_s\ni8x16.le_u\ni8x16.ge_s\ni8x16.ge_u\ni16x8.eq\ni16x8.ne\n"
    "i16x8.lt_s\ni16x8.lt_u\ni16x8.gt_s\ni16x8.gt_u\ni16x8.le_s\ni16x8.le_u\ni16x8.ge_s\n"
    "i16x8.ge_u\ni32x4.eq\ni32x4.ne\ni32x4.lt_s\ni32x4.lt_u\ni32x4.gt_s\ni32x4.gt_u\n"
    "i32x4.le_s\ni32x4.le_u\ni32x4.ge_s\ni32x4.ge_u\ni64x2.eq\ni64x2.ne\ni64x2.lt_s\n"
    "i64x2.gt_s\ni64x2.le_s\ni64x2.ge_s\nf32x4.eq\nf32x4.ne\nf32x4.lt\nf32x4.gt\nf32x4.le\n"
    "f32x4.ge\nf64x2.eq\nf64x2.ne\nf64x2.lt\nf64x2.gt\nf64x2.le\nf64x2.ge\nv128.not\nv128.and\n"
    "v128.andnot\nv128.or\nv128.xor\nv128.bitselect\nv128.any_true\ni8x16.abs\ni8x16.neg\n"
    "i8x16.popcnt\ni8x16.all_true\ni8x16.bitmask\ni8x16.narrow_i16x8_s\ni8x16.narrow_i16x8_u\n"
    "i8x16.shl\ni8x16.shr_s\ni8x16.shr_u\ni8x16.add\ni8x16.add_sat_s\ni8x16.add_sat_u\n"
    "i8x16.sub\ni8x16.sub_sat_s\ni8x16.sub_sat_u\ni8x16.min_s\ni8x16.min_u\ni8x16.max_s\n"
    "i8x16.max_u\ni8x16.avgr_u\ni16x8.extadd_pairwise_i8x16_s\ni16x8.extadd_pairwise_i8x16_u\n"
    "i16x8.abs\ni16x8.neg\ni16x8.q15mulr_sat_s\ni16x8.all_true\ni16x8.bitmask\n"
    "i16x8.narrow_i32x4_s\ni16x8.narrow_i32x4_u\ni16x8.extend_low_i8x16_s\n"
    "i16x8.extend_high_i8x16_s\ni16x8.extend_low_i8x16_u\ni16x8.extend_high_i8x16_u\n"
    "i16x8.shl\ni16x8.shr_s\ni16x8.shr_u\ni16x8.add\ni16x8.add_sat_s\ni16x8.add_sat_u\n"
    "i16x8.sub\ni16x8.sub_sat_s\ni16x8.sub_sat_u\ni16x8.mul\ni16x8.min_s\ni16x8.min_u\n"
    "i16x8.max_s\ni16x8.max_u\ni16x8.avgr_u\ni16x8.extmul_low_i8x16_s\n"
    "i16x8.extmul_high_i8x16_s\ni16x8.extmul_low_i8x16_u\ni16x8.extmul_high_i8x16_u\n"
    "i32x4.extadd_pairwise_i16x8_s\ni32x4.extadd_pairwise_i16x8_u\ni32x4.abs\ni32x4.neg\n"
    "i32x4.all_true\ni32x4.bitmask\ni32x4.extend_low_i16x8_s\ni32x4.extend_high_i16x8_s\n"
    "i32x4.extend_low_i16x8_u\ni32x4.extend_high_i16x8_u\ni32x4.shl\ni32x4.shr_s\ni32x4.shr_u\n"
    "i32x4.add\ni32x4.sub\ni32x4.mul\ni32x4.min_s\ni32x4.min_u\ni32x4.max_s\ni32x4.max_u\n"
    "i32x4.dot_i16x8_s\ni32x4.extmul_low_i16x8_s\ni32x4.extmul_high_i16x8_s\n"
    "i32x4.extmul_low_i16x8_u\ni32x4.extmul_high_i16x8_u\ni64x2.abs\ni64x2.neg\n"
    "i64x2.all_true\ni64x2.bitmask\ni64x2.extend_low_i32x4_s\ni64x2.extend_high_i32x4_s\n"
    "i64x2.extend_low_i32x4_u\ni64x2.extend_high_i32x4_u\ni64x2.shl\ni64x2.shr_s\ni64x2.shr_u\n"
    "i64x2.add\ni64x2.sub\ni64x2.mul\ni64x2.extmul_low_i32x4_s\ni64x2.extmul_high_i32x4_s\n"
    "i64x2.extmul_low_i32x4_u\ni64x2.extmul_high_i32x4_u\nf32x4.ceil\nf32x4.floor\nf32x4.trunc\n"
    "f32x4.nearest\nf32x4.abs\nf32x4.neg\nf32x4.sqrt\nf32x4.add\nf32x4.sub\nf32x4.mul\n"
    "f32x4.div\nf32x4.min\nf32x4.max\nf32x4.pmin\nf32x4.pmax\nf64x2.ceil\nf64x2.floor\n"
    "f64x2.trunc\nf64x2.nearest\nf64x2.abs\nf64x2.neg\nf64x2.sqrt\nf64x2.add\nf64x2.sub\n"
    "f64x2.mul\nf64x2.div\nf64x2.min\nf64x2.max\nf64x2.pmin\nf64x2.pmax\n"
    "i32x4.trunc_sat_f32x4_s\ni32x4.trunc_sat_f32x4_u\nf32x4.convert_i32x4_s\n"
    "f32x4.convert_i32x4_u\ni32x4.trunc_sat_f64x2_s_zero\ni32x4.trunc_sat_f64x2_u_zero\n"
    "f64x2.convert_low_i32x4_s\nf64x2.convert_low_i32x4_u\nf32x4.demote_f64x2_zero\n"
    "f64x2.promote_low_f32x4\ni8x16.relaxed_swizzle\ni32x4.relaxed_trunc_f32x4_s\n"
    "i32x4.relaxed_trunc_f32x4_u\ni32x4.relaxed_trunc_f64x2_s_zero\n"
    "i32x4.relaxed_trunc_f64x2_u_zero\nf32x4.relaxed_madd\nf32x4.relaxed_nmadd\n"
    "f64x2.relaxed_madd\nf64x2.relaxed_nmadd\ni8x16.relaxed_laneselect\n"
    "i16x8.relaxed_laneselect\ni32x4.relaxed_laneselect\ni64x2.relaxed_laneselect\n"
    "f32x4.relaxed_min\nf32x4.relaxed_max\nf64x2.relaxed_min\nf64x2.relaxed_max\n"
    "i16x8.relaxed_q15mulr_s\ni16x8.relaxed_dot_i8x16_i7x16_s\n"
    "i32x4.relaxed_dot_i8x16_i7x16_add_s\n",
    /* threads */
    "memory.atomic.notify\nmemory.atomic.wait32\nmemory.atomic.wait64 $m2 offset=8\natomic.fence\n"
    "i32.atomic.load\ni64.atomic.load\ni32.atomic.load8_u\ni32.atomic.load16_u\n"
    "i64.atomic.load8_u\ni64.atomic.load16_u\ni64.atomic.load32_u\ni32.atomic.store\n"
    "i64.atomic.store\ni32.atomic.store8\ni32.atomic.store16\ni64.atomic.store8\n"
    "i64.atomic.store16\ni64.atomic.store32\ni32.atomic.rmw.add\ni64.atomic.rmw.add\n"
    "i32.atomic.rmw8.add_u\ni32.atomic.rmw16.add_u\ni64.atomic.rmw8.add_u\n"
    "i64.atomic.rmw16.add_u\ni64.atomic.rmw32.add_u\ni32.atomic.rmw.sub\ni64.atomic.rmw.sub\n"
    "i32.atomic.rmw8.sub_u\ni32.atomic.rmw16.sub_u\ni64.atomic.rmw8.sub_u\n"
    "i64.atomic.rmw16.sub_u\ni64.atomic.rmw32.sub_u\ni32.atomic.rmw.and\ni64.atomic.rmw.and\n"
    "i32.atomic.rmw8.and_u\ni32.atomic.rmw16.and_u\ni64.atomic.rmw8.and_u\n"
    "i64.atomic.rmw16.and_u\ni64.atomic.rmw32.and_u\ni32.atomic.rmw.or\ni64.atomic.rmw.or\n"
    "i32.atomic.rmw8.or_u\ni32.atomic.rmw16.or_u\ni64.atomic.rmw8.or_u\ni64.atomic.rmw16.or_u\n"
    "i64.atomic.rmw32.or_u\ni32.atomic.rmw.xor\ni64.atomic.rmw.xor\ni32.atomic.rmw8.xor_u\n"
    "i32.atomic.rmw16.xor_u\ni64.atomic.rmw8.xor_u\ni64.atomic.rmw16.xor_u\n"
    "i64.atomic.rmw32.xor_u\ni32.atomic.rmw.xchg\ni64.atomic.rmw.xchg\ni32.atomic.rmw8.xchg_u\n"
    "i32.atomic.rmw16.xchg_u\ni64.atomic.rmw8.xchg_u\ni64.atomic.rmw16.xchg_u\n"
    "i64.atomic.rmw32.xchg_u\ni32.atomic.rmw.cmpxchg\ni64.atomic.rmw.cmpxchg\n"
    "i32.atomic.rmw8.cmpxchg_u\ni32.atomic.rmw16.cmpxchg_u\ni64.atomic.rmw8.cmpxchg_u\n"
    "i64.atomic.rmw16.cmpxchg_u\ni64.atomic.rmw32.cmpxchg_u\n",
    /* the garbage-collected heap */
    "struct.new $pair\nstruct.new_default $pair\nstruct.get $pair 0\nstruct.get_s $pair 1\n"
    "struct.get_u $pair 1\nstruct.set $pair 0\narray.new $bytes\narray.new_default $bytes\n"
    "array.new_fixed $bytes 3\narray.new_data $bytes $d\narray.new_elem $refs $el\n"
    "array.get $refs\narray.get_s $bytes\narray.get_u $bytes\narray.set $bytes\narray.len\n"
    "array.fill $bytes\narray.copy $bytes $bytes\narray.init_data $bytes $d\n"
    "array.init_elem $refs $el\nref.test (ref $pair)\nref.test (ref null any)\n"
    "ref.cast (ref $pair)\nref.cast (ref null struct)\nany.convert_extern\nextern.convert_any\n"
    "ref.i31\ni31.get_s\ni31.get_u\n"
    "block (result structref) unreachable br_on_cast 0 anyref structref unreachable end\n"
    "block (result anyref) unreachable br_on_cast_fail 0 anyref (ref $pair) unreachable end\n",
};

#define INSTRUCTION_GROUPS (sizeof instruction_groups / sizeof *instruction_groups)

#endif
