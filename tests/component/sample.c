/* A component with two instances of a nested one, made by wasm-tools of this text:
 *
 * (component
 *   (import "wasi:io/streams@0.2.6" (instance $io
 *     (export "out" (type $out (sub resource)))
 *     (export "[method]out.write" (func (param "self" (borrow $out)) (param "s" string)))))
 *   (import "wasi:cli/stdout@0.2.4" (instance $cli
 *     (export "get" (func (result u32)))))
 *   (alias export $io "out" (type $out))
 *   (component $Counter
 *     (import "log" (func $log (param "n" u32)))
 *     (core module $D (func (export "drop") (param i32)) )
 *     (core instance $d (instantiate $D))
 *     (type $R (resource (rep i32) (dtor (core func $d "drop"))))
 *     (export $R' "counter" (type $R))
 *     (core func $new (canon resource.new $R))
 *     (core func $log' (canon lower (func $log)))
 *     (core module $M
 *       (import "a" "new" (func $new (param i32) (result i32)))
 *       (import "a" "log" (func $log (param i32)))
 *       (import "d" "drop" (func (param i32)))
 *       (func (export "make") (result i32) (call $new (i32.const 1))))
 *     (core instance $m (instantiate $M
 *       (with "a" (instance (export "new" (func $new)) (export "log" (func $log'))))
 *       (with "d" (instance $d))))
 *     (func (export "make") (result (own $R')) (canon lift (core func $m "make"))))
 *   (core module $L (memory (export "mem") 1)
 *     (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
 *     (func (export "log") (param i32)))
 *   (core instance $l (instantiate $L))
 *   (func $log (param "n" u32) (canon lift (core func $l "log")))
 *   (instance $c1 (instantiate $Counter (with "log" (func $log))))
 *   (instance $c2 (instantiate $Counter (with "log" (func $log))))
 *   (core func $make1 (canon lower (func $c1 "make")))
 *   (core func $make2 (canon lower (func $c2 "make")))
 *   (alias export $c1 "counter" (type $R1))
 *   (core func $drop1 (canon resource.drop $R1))
 *   (core func $write (canon lower (func $io "[method]out.write") (memory (core memory $l "mem"))
 * string-encoding=utf16)) (core module $Main (import "x" "make1" (func (result i32))) (import "x"
 * "make2" (func (result i32))) (import "x" "drop1" (func (param i32))) (import "x" "write" (func
 * (param i32 i32 i32))) (import "x" "mem" (memory 1)) (func (export "handle") (param i32 i32)))
 *   (core instance $main (instantiate $Main (with "x" (instance
 *     (export "make1" (func $make1)) (export "make2" (func $make2)) (export "drop1" (func $drop1))
 *     (export "write" (func $write)) (export "mem" (memory $l "mem"))))))
 *   (func $handle (param "s" string)
 *     (canon lift (core func $main "handle") (memory (core memory $l "mem")) (realloc (core func $l
 * "realloc")))) (instance $handler (export "handle" (func $handle)) (export "get" (func $cli
 * "get"))) (export "wasi:http/incoming-handler@0.2.6" (instance $handler))
 * )
 */
#include "sample.h"

const char sample_hex[] =
    "0061736d0d00010007320142040400036f757403010168000140020473656c660101737301000400115b6d65"
    "74686f645d6f75742e777269746501020a1a010015776173693a696f2f73747265616d7340302e322e360500"
    "0710014202014000007904000367657401000a1a010015776173693a636c692f7374646f757440302e322e34"
    "0501060801030000036f757404fd020061736d0d0001000708014001016e7901000a080100036c6f67010001"
    "2e0061736d0100000001050160017f00030201000708010464726f7000000a040102000b0009046e616d6500"
    "020144020401000000060a01000001000464726f700705013f7f01000b0d010007636f756e74657203010008"
    "070202010100000001640061736d01000000010e0360017f017f60017f006000017f021a030161036e657700"
    "000161036c6f67000101640464726f70000103020102070801046d616b6500030a08010600410110000b0016"
    "046e616d650002014d010b0200036e657701036c6f67021a020102036e65770001036c6f6700020001020161"
    "120101641200070702690240000003060a0100000102046d616b6508060100000300040b0a0100046d616b65"
    "01010000530e636f6d706f6e656e742d6e616d65000807436f756e746572010e00000201036e657702046c6f"
    "6727010900110200014401014d010900120200016402016d0107010100036c6f670109030201015202025227"
    "014f0061736d01000000010d0260047f7f7f7f017f60017f0003030200010503010001071703036d656d0200"
    "077265616c6c6f630000036c6f6700010a08020300000b02000b0009046e616d650002014c02040100000007"
    "08014001016e79010006090100000100036c6f670806010000000003051302000001036c6f67010000000103"
    "6c6f670100060901010002046d616b6508050101000100060901010003046d616b6508050101000200060c01"
    "03000207636f756e7465720803010304061e02010000115b6d6574686f645d6f75742e777269746500020100"
    "036d656d0808010100030203000101760061736d010000000114046000017f60017f0060037f7f7f0060027f"
    "7f000232050178056d616b653100000178056d616b6532000001780564726f70310001017805777269746500"
    "020178036d656d02000103020103070a010668616e646c6500040a040102000b000c046e616d650005044d61"
    "696e06090100020100036d656d0230020105056d616b65310001056d616b653200020564726f703100030577"
    "726974650004036d656d02010001010178120107080140010173730100062003000001020668616e646c6500"
    "020100036d656d00000100077265616c6c6f63080a0100000502030204060506080101000103676574051401"
    "0102000668616e646c650104000367657401050b26010020776173693a687474702f696e636f6d696e672d68"
    "616e646c657240302e322e360504000095010e636f6d706f6e656e742d6e616d65011f00000401056d616b65"
    "3102056d616b6532030564726f703104057772697465010c00110200014c01044d61696e010c00120200016c"
    "02046d61696e010f010200036c6f67040668616e646c65010b030202036f757404025231010b04010007436f"
    "756e746572011c05050002696f0103636c690202633103026332040768616e646c6572";
