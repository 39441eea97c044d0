/** Made-up customers and their feedback. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const CUSTOMERS = 200;

const TEXTS = [
  "I love the new search, it is great!",
  "The app crashes every time I open it. This is terrible, I want my money back.",
  "Where do I find my invoice?",
  "Delivery took three weeks and nobody answered my emails.",
];

export const feedbackText = (n: number): string => TEXTS[n % TEXTS.length]!;
export const customerId = (n: number): string => `C-${n % CUSTOMERS}`;

export function writeCustomers(folder: string): string {
  const path = join(folder, "customers.json");
  const customers = Array.from({ length: CUSTOMERS }, (_, n) => ({
    id: `C-${n}`,
    name: `Customer ${n}`,
    email: `c${n}@example.org`,
    segment: n % 3 === 0 ? "premium" : "standard",
  }));
  writeFileSync(path, JSON.stringify(customers));
  return path;
}

/** Parameters of the n-th run of the customer feedback workflow. */
export const feedback = (n: number) => ({
  feedback_id: `F-${n}`,
  customer_id: customerId(n),
  subject: "Feedback",
  feedback_text: feedbackText(n),
});
