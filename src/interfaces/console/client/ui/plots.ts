/**
 * Charts with stacked bars: vertical ones (`Columns`, as SVG) or horizontal ones (`Bars`, as HTML).
 * Each chart also has a table of its figures.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.ts";

/** One of the parts that are stacked in every bar: its name, and the CSS class that colours it. */
export interface Series {
  name: string;
  tone: string;
}

/** One bar: its label and a number for each series. */
export interface Bar {
  label: string;
  values: readonly number[];
  /** Where a click on the label leads; only `Bars` and the table have such links. */
  href?: string | undefined;
}

interface PlotProps {
  title: string;
  series: readonly Series[];
  bars: readonly Bar[];
  /** What a bar stands for; the heading in the table. */
  of: string;
}

/** The sum of all series of a bar. */
export const totalOf = ({ values }: Bar): number => values.reduce((sum, value) => sum + value, 0);

/** The current width of an element. Pixels. */
function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (!current) return undefined;
    const observer = new ResizeObserver(() => setWidth(current.clientWidth));
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  return [element, width] as const;
}

/** Labels of an axis from 0, in steps of 1, 2 or 5 times a power of ten. */
function ticks(most: number): number[] {
  const rough = Math.max(most, 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!,
  );
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step);
}

const HEIGHT = 180;
const AXIS = { left: 34, bottom: 20, top: 8 };
const LABEL_WIDTH = 62;

/** Vertical bars, the first on the left. */
export function Columns({ title, series, bars, of }: PlotProps) {
  const [element, width] = useWidth();
  const most = Math.max(1, ...bars.map(totalOf));
  const inner = { width: Math.max(0, width - AXIS.left), height: HEIGHT - AXIS.bottom - AXIS.top };
  const y = (value: number): number => AXIS.top + inner.height * (1 - value / most);
  const slot = inner.width / Math.max(1, bars.length);
  const barWidth = Math.min(slot * 0.72, 40);
  const every = Math.max(1, Math.ceil((bars.length * LABEL_WIDTH) / Math.max(1, inner.width)));
  return html`
    <${Figure} title=${title} series=${series} bars=${bars} of=${of}>
      <div ref=${element} class="plot">
        ${
          width > 0 &&
          html` <svg
            width=${width}
            height=${HEIGHT}
            role="img"
            aria-label=${`${title}: the figures are in the table below`}
          >
            ${ticks(most).map((tick) => html`<g key=${tick} class="tick"><line x1=${AXIS.left} x2=${width} y1=${y(tick)} y2=${y(tick)} /><text x=${AXIS.left - 6} y=${y(tick)} dy="0.32em" text-anchor="end">${tick}</text></g>`)}
            ${bars.map((one, index) => {
              const x = AXIS.left + slot * index + (slot - barWidth) / 2;
              let below = 0;
              return html`<g key=${one.label}>
                <title>${describe(one, series)}</title>
                ${one.values.map((value, at) => {
                  below += value;
                  return (
                    value > 0 &&
                    html`<rect
                      key=${at}
                      class=${`fill ${series[at]!.tone}`}
                      x=${x}
                      width=${barWidth}
                      y=${y(below)}
                      height=${Math.max(0, y(below - value) - y(below) - (below === value ? 0 : 1))}
                    />`
                  );
                })}
                ${index % every === 0 && html`<${Label} text=${one.label} x=${x + barWidth / 2} width=${width} />`}
              </g>`;
            })}
          </svg>`
        }
      </div>
    <//>
  `;
}

/** The label below a bar. It ends at the right edge of the chart if it would be cut off there. */
function Label({ text, x, width }: { text: string; x: number; width: number }) {
  const isAtEdge = x > width - LABEL_WIDTH / 2;
  const [at, anchor] = isAtEdge ? [width, "end"] : [x, "middle"];
  return html`<text class="axis" x=${at} y=${HEIGHT - 5} text-anchor=${anchor}>${text}</text>`;
}

/** Horizontal bars, the first on top. */
export function Bars({ title, series, bars, of }: PlotProps) {
  const most = Math.max(1, ...bars.map(totalOf));
  return html`
    <${Figure} title=${title} series=${series} bars=${bars} of=${of}>
      <div class="bars" aria-hidden="true">
        ${bars.map(
          (one) =>
            html` <div key=${one.label} class="bars-row" title=${describe(one, series)}>
              <span class="bars-label"
                >${one.href ? html`<a href=${one.href} tabindex="-1">${one.label}</a>` : one.label}</span
              >
              <span class="bars-track"
                >${one.values.map((value, at) => value > 0 && html`<span key=${at} class=${`fill ${series[at]!.tone}`} style=${{ width: `${(value / most) * 100}%` }}></span>`)}</span
              >
              <span class="bars-total">${totalOf(one).toLocaleString("en")}</span>
            </div>`,
        )}
      </div>
    <//>
  `;
}

const describe = (bar: Bar, series: readonly Series[]): string =>
  `${bar.label}: ${bar.values.map((value, at) => `${value}${series.length > 1 ? ` ${series[at]!.name}` : ""}`).join(", ")}`;

function Figure({ title, series, bars, of, children }: PlotProps & { children?: unknown }) {
  return html`
    <figure class="card figure">
      <figcaption>
        <h2>${title}</h2>
        ${series.length > 1 && html`<span class="keys">${series.map(({ name, tone }) => html`<span key=${name}><span class=${`swatch fill ${tone}`} aria-hidden="true"></span>${name}</span>`)}</span>`}
      </figcaption>
      ${bars.length === 0 ? html`<p class="muted">Nothing yet.</p>` : children}
      ${
        bars.length > 0 &&
        html` <details class="figures">
          <summary>Figures</summary>
          <table class="table">
            <thead>
              <tr>
                <th>${of}</th>
                ${series.map(({ name }) => html`<th key=${name} class="number">${name}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${bars.map(
                (bar) =>
                  html`<tr key=${bar.label}>
                    <td>${bar.href ? html`<a href=${bar.href}>${bar.label}</a>` : bar.label}</td>
                    ${bar.values.map((value, at) => html`<td key=${at} class="number">${value}</td>`)}
                  </tr>`,
              )}
            </tbody>
          </table>
        </details>`
      }
    </figure>
  `;
}
