// The CEL vectors that our evaluator does not pass, all of them, each with its reason. docs/cel.md publishes this list.

/** Vectors by their ids and why they fail. None of them may grant where the standard says error. */
export interface Departure {
  readonly reason: string;
  readonly vectors: readonly string[];
}

const under = (section: string, names: string): readonly string[] =>
  names.split(' ').map((name) => `${section}/${name}`);

export const DEPARTURES: readonly Departure[] = [
  {
    reason:
      'A name that is no variable and no function is refused when the policy is loaded; the standard lets `||` absorb it at run time.',
    vectors: [
      'basic/variables/unbound_is_runtime_error',
      'basic/functions/unbound_is_runtime_error',
      ...under(
        'parse/receiver_function_names',
        'as break const continue else for function if import let loop package namespace return var void while',
      ),
    ],
  },
  {
    reason: 'The parser does not know fields in backquotes; `["name"]` says the same.',
    vectors: [
      ...under('fields/quoted_map_fields', 'field_access_slash field_access_dash field_access_dot'),
      ...under('fields/quoted_map_fields', 'has_field_slash has_field_dash has_field_dot'),
    ],
  },
  {
    reason: 'There are no containers, and no variables with dots in their names.',
    vectors: [
      ...under('fields/qualified_identifier_resolution', 'qualified_ident map_field_select'),
      ...under(
        'fields/qualified_identifier_resolution',
        'qualified_identifier_resolution_unchecked ident_with_longest_prefix_check',
      ),
      'namespace/qualified/self_eval_qualified_lookup',
      ...under('namespace/namespace', 'self_eval_container_lookup self_eval_container_lookup_unchecked'),
      'namespace/namespace_shadowing/basic',
    ],
  },
  {
    reason:
      'A name that begins with a dot is refused: the parser drops the dot, and the name could mean another variable.',
    vectors: under(
      'namespace/namespace_shadowing',
      'disambiguation comprehension_shadowing_disambiguation comprehension_shadowing_namespaced_selector_disambiguation',
    ),
  },
  {
    reason: 'The vector binds a variable to bytes, a uint or a duration, which no claim is.',
    vectors: [
      ...under('comparisons/bound', 'bytes_gt_left_false uint_eq_right_false'),
      'timestamps/duration_converters/get_milliseconds',
    ],
  },
];
