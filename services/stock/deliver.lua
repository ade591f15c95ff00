-- Puts a product on the shelf for the first time.
-- KEYS: 1 the product's level, 2 the outbox
-- ARGV: 1 units, 2 the event
-- Returns 1 where it was not there yet.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'level', ARGV[1], 'reserved', 0, 'delivered', ARGV[1], 'version', 1)
redis.call('XADD', KEYS[2], '*', 'ce', ARGV[2])
return 1
