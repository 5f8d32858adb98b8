;; Traps and where they come from, over several component instances.

;; A trap in the innermost of three ends all of them.
(component definition $Chain
  (component $C
    (core module $M
      (func (export "f") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then unreachable))
        (i32.div_u (i32.const 84) (local.get 0))))
    (core instance $m (instantiate $M))
    (func (export "f") (param "a" u32) (result u32) (canon lift (core func $m "f"))))
  (component $B
    (import "f" (func $f (param "a" u32) (result u32)))
    (core func $f' (canon lower (func $f)))
    (core module $M
      (import "" "f" (func $f (param i32) (result i32)))
      (func (export "f") (param i32) (result i32) (call $f (local.get 0))))
    (core instance $m (instantiate $M (with "" (instance (export "f" (func $f'))))))
    (func (export "f") (param "a" u32) (result u32) (canon lift (core func $m "f"))))
  (instance $c (instantiate $C))
  (instance $b (instantiate $B (with "f" (func $c "f"))))
  (instance $a (instantiate $B (with "f" (func $b "f"))))
  (func (export "f") (alias export $a "f")))
(component instance $i $Chain)
(assert_return (invoke "f" (u32.const 2)) (u32.const 42))
(assert_trap (invoke "f" (u32.const 0)) "unreachable")
(assert_trap (invoke "f" (u32.const 2)) "cannot enter component instance")

;; A destructor that traps, called from another component instance.
(component
  (component $C
    (core module $D (func (export "dtor") (param i32) unreachable))
    (core instance $d (instantiate $D))
    (type $R' (resource (rep i32) (dtor (core func $d "dtor"))))
    (export $R "R" (type $R'))
    (core func $new (canon resource.new $R'))
    (core module $M
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 5))))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $R)) (canon lift (core func $m "make"))))
  (component $D
    (import "c" (instance $c
      (export "R" (type $R (sub resource)))
      (export "make" (func (result (own $R))))))
    (alias export $c "R" (type $R))
    (core func $make (canon lower (func $c "make")))
    (core func $drop (canon resource.drop $R))
    (core module $M
      (import "" "make" (func $make (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (call $drop (call $make))))
    (core instance $m (instantiate $M (with "" (instance
      (export "make" (func $make)) (export "drop" (func $drop))))))
    (func (export "run") (canon lift (core func $m "run"))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "c" (instance $c))))
  (func (export "run") (alias export $d "run")))
(assert_trap (invoke "run") "unreachable")

;; A borrow that is kept.
(component
  (component $C
    (type $R' (resource (rep i32)))
    (export $R "R" (type $R'))
    (core func $new (canon resource.new $R'))
    (core module $M
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 5))))
    (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $R)) (canon lift (core func $m "make"))))
  (component $Keeper
    (import "c" (instance $c (export "R" (type $R (sub resource)))))
    (alias export $c "R" (type $R))
    (core func $drop (canon resource.drop $R))
    (core module $M
      (import "" "drop" (func $drop (param i32)))
      (func (export "use") (param $h i32) (param $keep i32)
        (if (i32.eqz (local.get $keep)) (then (call $drop (local.get $h))))))
    (core instance $m (instantiate $M (with "" (instance (export "drop" (func $drop))))))
    (func (export "use") (param "r" (borrow $R)) (param "keep" bool)
      (canon lift (core func $m "use"))))
  (component $D
    (import "c" (instance $c
      (export "R" (type $R (sub resource)))
      (export "make" (func (result (own $R))))))
    (alias export $c "R" (type $R))
    (import "use" (func $use (param "r" (borrow $R)) (param "keep" bool)))
    (core func $make (canon lower (func $c "make")))
    (core func $use' (canon lower (func $use)))
    (core module $M
      (import "" "make" (func $make (result i32)))
      (import "" "use" (func $use (param i32 i32)))
      (func (export "run") (param i32) (call $use (call $make) (local.get 0))))
    (core instance $m (instantiate $M (with "" (instance
      (export "make" (func $make)) (export "use" (func $use'))))))
    (func (export "run") (param "keep" bool) (canon lift (core func $m "run"))))
  (instance $c (instantiate $C))
  (instance $k (instantiate $Keeper (with "c" (instance $c))))
  (instance $d (instantiate $D (with "c" (instance $c)) (with "use" (func $k "use"))))
  (func (export "run") (alias export $d "run")))
(assert_return (invoke "run" (bool.const false)))
(assert_trap (invoke "run" (bool.const true)) "borrow handles still remain at the end of the call")

;; Parent and child do not call each other.
(component $Parent
  (component $Child
    (core module $M (func (export "f")))
    (core instance $m (instantiate $M))
    (func (export "f") (canon lift (core func $m "f"))))
  (instance $child (instantiate $Child))
  (core func $f (canon lower (func $child "f")))
  (core module $M
    (import "" "f" (func $f))
    (func (export "g") (call $f)))
  (core instance $m (instantiate $M (with "" (instance (export "f" (func $f))))))
  (func (export "g") (canon lift (core func $m "g"))))
(assert_trap (invoke "g") "cannot enter component instance")

;; Post-return may not call out.
(component
  (component $C
    (core module $M (func (export "f")))
    (core instance $m (instantiate $M))
    (func (export "f") (canon lift (core func $m "f"))))
  (component $D
    (import "f" (func $f))
    (core func $f' (canon lower (func $f)))
    (type $R (resource (rep i32)))
    (core func $new (canon resource.new $R))
    (core func $rep (canon resource.rep $R))
    (core module $M
      (import "" "f" (func $f))
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "rep" (func $rep (param i32) (result i32)))
      (global $h (mut i32) (i32.const 0))
      (func (export "noop"))
      (func (export "make") (global.set $h (call $new (i32.const 7))))
      (func (export "calls") (call $f))
      (func (export "makes") (drop (call $new (i32.const 1))))
      (func (export "looks") (if (i32.ne (call $rep (global.get $h)) (i32.const 7)) (then unreachable))))
    (core instance $m (instantiate $M (with "" (instance
      (export "f" (func $f')) (export "new" (func $new)) (export "rep" (func $rep))))))
    (func (export "calls") (canon lift (core func $m "noop") (post-return (core func $m "calls"))))
    (func (export "makes") (canon lift (core func $m "noop") (post-return (core func $m "makes"))))
    (func (export "looks") (canon lift (core func $m "make") (post-return (core func $m "looks")))))
  (instance $c (instantiate $C))
  (instance $d (instantiate $D (with "f" (func $c "f"))))
  (func (export "calls") (alias export $d "calls"))
  (func (export "looks") (alias export $d "looks")))
(assert_return (invoke "looks"))
(assert_trap (invoke "calls") "cannot leave component instance")
