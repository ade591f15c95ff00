-- Tells anew how an order's reservation went.
-- KEYS: 1 reservations by order, 2 the outbox
-- ARGV: 1 order, then begins of the event: 2 that it is reserved, 3 refused, 4 released
-- Returns 1 where the order is remembered.
local is = redis.call('HGET', KEYS[1], ARGV[1])
if not is then
  return 0
end
local state, version, data = string.match(is, '^([^|]+)|[^|]+|%d+|(%d+)|(.*)$')
local begin = ARGV[3]
if state == 'reserved' then
  begin = ARGV[2]
elseif state == 'released' then
  begin = ARGV[4]
else
  data = string.sub(data, 1, -2) .. ',"reason":"' .. state .. '"}'
end
redis.call('XADD', KEYS[2], '*', 'ce', begin .. string.format(
  ',"version":%d,"datacontenttype":"application/json","data":', version) .. data .. '}')
return 1
