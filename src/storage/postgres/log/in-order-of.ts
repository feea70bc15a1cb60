/**
 * A statement for `$1..$2` in the order of all records, `$3` of them at most; stretch by stretch, so that only their own
 * rows are read. `items` selects, with `pos`, from a table or a join of that is named `item` and has `writer` and `pos`.
 */
export function inOrderOf(stretches: string, items: string): string {
  return `
    SELECT stretch.first_seq + found.pos - stretch.first_pos AS seq, found.*
    FROM (
      SELECT * FROM ${stretches} WHERE first_seq + records > $1::bigint AND first_seq <= $2::bigint
        AND first_seq >= COALESCE((SELECT max(first_seq) FROM ${stretches} WHERE first_seq <= $1::bigint), 0)
      ORDER BY first_seq OFFSET 0
    ) AS stretch CROSS JOIN LATERAL (
      ${items} WHERE item.writer = stretch.writer
        AND item.pos >= stretch.first_pos + greatest(0, $1::bigint - stretch.first_seq)
        AND item.pos < stretch.first_pos + least(stretch.records, $2::bigint + 1 - stretch.first_seq)
      ORDER BY item.pos LIMIT $3::bigint
    ) AS found ORDER BY stretch.first_seq, found.pos LIMIT $3::bigint`
}
