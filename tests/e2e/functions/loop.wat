;; Never ends.
(module
  (func (export "handle") (result i32)
    (loop $again (br $again))
    (unreachable)))
