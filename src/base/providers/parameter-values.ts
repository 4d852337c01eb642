// The parameters of one event with what a test says of them. It knows no claim.
import { ownMember } from '../core/json.ts';
import { printable } from '../core/printable.ts';
import { nearestName } from '../document/nearest-name.ts';
import type { FoundEvent } from './catalogue.ts';
import type { EventParameter } from './provider.ts';

const PLACEHOLDER = /\{([a-z_]+)\}/g;

/** Values by name: given ones are taken as they are, others are made from the provider's and the event's templates. */
export class ParameterValues {
  readonly #parameters: Readonly<Record<string, EventParameter>>;
  readonly #templates: Readonly<Record<string, string | null>>;
  readonly #given: ReadonlyMap<string, string>;
  readonly #title: string;

  constructor({ provider, event, argument }: FoundEvent, given: Readonly<Record<string, string>>) {
    this.#parameters = provider.parameters;
    this.#templates = event.parameters ?? {};
    this.#title = provider.title;
    const fromName: readonly [string, string][] =
      event.argument === undefined || argument === undefined ? [] : [[event.argument, argument]];
    this.#given = new Map([...fromName, ...Object.entries(given)]);
  }

  /** The value, or undefined for a parameter that is absent or unknown. */
  get(name: string): string | undefined {
    const given = this.#given.get(name);
    if (given !== undefined) return given;
    const template = Object.hasOwn(this.#templates, name) ? this.#templates[name] : this.#parameter(name)?.value;
    return template === null || template === undefined ? undefined : this.fill(template);
  }

  /** `template` with its parameters, each through `encode`; undefined when one of them is absent. */
  fill(template: string, encode: (value: string) => string = (value) => value): string | undefined {
    let isWhole = true;
    const text = template.replace(PLACEHOLDER, (_, name: string) => {
      const value = this.get(name);
      if (value === undefined) isWhole = false;
      return encode(value ?? '');
    });
    return isWhole ? text : undefined;
  }

  /** What is wrong with the given values. */
  problems(): readonly { readonly parameter: string; readonly message: string; readonly hint?: string }[] {
    return [...this.#given].flatMap(([name, value]) => {
      const problem = this.#problemOf(name, value);
      return problem === undefined ? [] : [{ parameter: name, ...problem }];
    });
  }

  #parameter(name: string): EventParameter | undefined {
    return ownMember(this.#parameters, name);
  }

  #problemOf(name: string, value: string): { message: string; hint?: string } | undefined {
    const parameter = this.#parameter(name);
    if (parameter === undefined) {
      const names = Object.keys(this.#parameters);
      const hint = nearestName(name, names) ?? `known: ${names.join(', ')}; anything else goes under claims`;
      return { message: `events of ${this.#title} have no parameter ${printable(name)}`, hint };
    }
    if (parameter.oneOf !== undefined && !parameter.oneOf.includes(value))
      return { message: `wanted ${parameter.oneOf.join(' or ')}` };
    if (parameter.isOneName === true && value.includes('/'))
      return {
        message: 'wanted one name, without a slash',
        hint: 'what stands before the slash has its own parameter',
      };
    return undefined;
  }
}
