export const dynamic = 'force-dynamic';

export default async function Page({ searchParams }) {
  const { name = 'nobody' } = await searchParams;
  return <h1>Hello {name}</h1>;
}
